/** Accounts: people, who sign in, and services, which hold keys. */
import { type FormEvent, useState } from "react";
import { call } from "../../api/client";
import { useMe } from "../../api/me";
import { refresh, useList, useOne } from "../../api/query";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/settings";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Confirm, Dialog } from "../../widgets/dialog";
import { Check, Input, Select } from "../../widgets/field";
import { Menu } from "../../widgets/menu";
import { Once } from "../../widgets/once";
import { Safe } from "../../widgets/safe";
import { done, failed } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { LoginsOf } from "./logins";
import { Part, useAct, Wrong } from "./part";

export interface UserRow {
  id: string;
  name: string;
  display?: string;
  kind: "person" | "service";
  role: string;
  disabled: boolean;
  second_factor: boolean;
  must_change_password?: boolean;
  created_at: string;
  created_by: string;
  last_login_at?: string;
  locked?: boolean;
  failed?: number;
}
export interface RoleRow {
  name: string;
  title?: string;
  permissions: string[];
  built_in: boolean;
}
export interface RoleList {
  items: RoleRow[];
  permissions: { name: string; text: string }[];
}
interface Link {
  link?: string;
  expires_at?: string;
  user: UserRow;
}
type Ask = "disable" | "reset" | "logout" | "remove";

export function Users() {
  const list = useList<UserRow>("/users");
  const roles = useOne<RoleList>("/roles");
  const me = useMe();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<UserRow | null>(null);
  const [asking, setAsking] = useState<{ what: Ask; user: UserRow } | null>(null);
  const [link, setLink] = useState<Link | null>(null);
  const names = (roles.data?.items ?? []).map((role) => role.name);
  const quick = async (run: Promise<unknown>, text: string) => {
    try {
      await run;
      done(text);
      refresh("/users");
    } catch (problem) {
      failed(t("users.failed"), problem);
    }
  };
  return (
    <Part
      title={t("users.title")}
      acts={
        <Button kind="primary" onClick={() => setMaking(true)}>
          {t("users.new")}
        </Button>
      }
    >
      {list.error ? <ErrorView error={list.error} onRetry={list.again} /> : null}
      {list.loading ? <Loading rows={4} /> : null}
      {!list.loading && !list.error && list.rows.length === 0 ? (
        <Empty title={t("users.empty")}>{t("users.empty.text")}</Empty>
      ) : null}
      <ul>
        {list.rows.map((user) => (
          <li key={user.id} className="settings-line settings-user">
            <span className="settings-name">
              <Safe text={user.name} />
              {user.display && user.display !== user.name ? <Safe text={user.display} className="muted" /> : null}
            </span>
            <span className="grow row wrap">
              <Badge>{safe(user.role)}</Badge>
              {user.kind === "service" ? <Badge>{t("users.service")}</Badge> : null}
              {user.id === me?.id ? <Badge kind="accent">{t("users.you")}</Badge> : null}
              {user.disabled ? <Badge kind="warn">{t("users.disabled")}</Badge> : null}
              {user.locked ? <Badge kind="bad">{t("users.locked")}</Badge> : null}
              {user.must_change_password ? <Badge kind="warn">{t("users.must")}</Badge> : null}
              {user.kind === "person" ? (
                <span className="meta">
                  {t("users.factor")}: {t(user.second_factor ? "users.factor.yes" : "users.factor.no")}
                </span>
              ) : null}
              {user.last_login_at ? (
                <span className="meta">
                  {t("users.last")} <When at={user.last_login_at} />
                </span>
              ) : null}
            </span>
            {user.locked ? (
              <Button onClick={() => void quick(call("POST", `/users/${part(user.id)}/unlock`), t("users.unlocked"))}>
                {t("users.unlock")}
              </Button>
            ) : null}
            <Button onClick={() => setChanging(user)}>{t("users.change")}</Button>
            <Menu
              trigger={<Button aria-label={`${shell("more")}: ${safe(user.name)}`}>{shell("more")} ▾</Button>}
              entries={[
                {
                  id: "reset",
                  label: t("users.reset"),
                  off: user.kind !== "person",
                  run: () => setAsking({ what: "reset", user }),
                },
                {
                  id: "logout",
                  label: t("users.logout"),
                  off: user.kind !== "person",
                  run: () => setAsking({ what: "logout", user }),
                },
                user.disabled
                  ? {
                      id: "enable",
                      line: true,
                      label: t("users.enable"),
                      run: () =>
                        void quick(
                          call("PATCH", `/users/${part(user.id)}`, { body: { disabled: false } }),
                          t("users.done.enabled"),
                        ),
                    }
                  : {
                      id: "disable",
                      line: true,
                      danger: true,
                      label: t("users.disable"),
                      off: user.id === me?.id,
                      run: () => setAsking({ what: "disable", user }),
                    },
                {
                  id: "remove",
                  danger: true,
                  label: t("users.remove"),
                  off: user.id === me?.id,
                  run: () => setAsking({ what: "remove", user }),
                },
              ]}
            />
          </li>
        ))}
      </ul>
      {list.hasMore ? <Button onClick={list.more}>{shell("more")}</Button> : null}
      {making ? <NewUser roles={names} onClose={() => setMaking(false)} onLink={setLink} /> : null}
      {changing ? <Change user={changing} roles={names} onClose={() => setChanging(null)} /> : null}
      {asking ? <Sure what={asking.what} user={asking.user} onClose={() => setAsking(null)} onLink={setLink} /> : null}
      {link?.link ? (
        <Once
          title={t("users.link.title", { name: safe(link.user.name) })}
          secrets={[link.link]}
          onClose={() => setLink(null)}
        >
          <p>{t("users.link.text", { until: absolute(link.expires_at) })}</p>
        </Once>
      ) : null}
    </Part>
  );
}

function NewUser({ roles, onClose, onLink }: { roles: string[]; onClose: () => void; onLink: (link: Link) => void }) {
  const [name, setName] = useState("");
  const [display, setDisplay] = useState("");
  const [kind, setKind] = useState<"person" | "service">("person");
  const [role, setRole] = useState("analyst");
  const { busy, error, act } = useAct();
  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      const made = await call<Link>("POST", "/users", {
        body: { name: name.trim(), display: display.trim() || undefined, kind, role },
      });
      refresh("/users");
      done(t("users.made", { name: safe(made.user.name) }));
      onClose();
      if (made.link) onLink(made);
    });
  };
  return (
    <Dialog open size="small" title={t("users.new")} onClose={onClose}>
      <form className="col" onSubmit={send}>
        <Input
          label={t("users.name")}
          value={name}
          maxLength={64}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Input
          label={t("users.display")}
          value={display}
          maxLength={128}
          autoComplete="off"
          onChange={(event) => setDisplay(event.target.value)}
        />
        <Select
          label={t("users.kind")}
          value={kind}
          hint={kind === "service" ? t("users.service.text") : undefined}
          onChange={(event) => setKind(event.target.value as "person" | "service")}
          options={[
            { value: "person", label: t("users.person") },
            { value: "service", label: t("users.service") },
          ]}
        />
        <RoleSelect roles={roles} value={role} onChange={setRole} />
        <Wrong text={error} />
        <div className="acts">
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy || name.trim() === ""}>
            {t("users.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RoleSelect({ roles, value, onChange }: { roles: string[]; value: string; onChange: (role: string) => void }) {
  const all = roles.includes(value) ? roles : [value, ...roles];
  return (
    <Select
      label={t("users.role")}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      options={all.map((name) => ({ value: name, label: safe(name) }))}
    />
  );
}

function Change({ user, roles, onClose }: { user: UserRow; roles: string[]; onClose: () => void }) {
  const [display, setDisplay] = useState(user.display ?? "");
  const [role, setRole] = useState(user.role);
  const [must, setMust] = useState(user.must_change_password ?? false);
  const { busy, error, act } = useAct();
  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      await call("PATCH", `/users/${part(user.id)}`, {
        body: {
          display: display === (user.display ?? "") ? undefined : display,
          role: role === user.role ? undefined : role,
          must_change_password: must === (user.must_change_password ?? false) ? undefined : must,
        },
      });
      refresh("/users");
      done(t("users.saved"));
      onClose();
    });
  };
  return (
    <Dialog open title={<Safe text={user.name} />} onClose={onClose}>
      <form className="col" onSubmit={send}>
        <Input
          label={t("users.display")}
          value={display}
          maxLength={128}
          onChange={(event) => setDisplay(event.target.value)}
        />
        <RoleSelect roles={roles} value={role} onChange={setRole} />
        {user.kind === "person" ? (
          <Check label={t("users.must")} checked={must} onChange={(event) => setMust(event.target.checked)} />
        ) : null}
        <p className="meta">
          {t("users.created")} <When at={user.created_at} exact />{" "}
          <Safe text={t("users.by", { who: user.created_by })} />
        </p>
        <Wrong text={error} />
        <div className="acts">
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy}>
            {t("users.save")}
          </Button>
        </div>
        {user.kind === "person" ? (
          <>
            <h3>{t("users.logins")}</h3>
            <LoginsOf user={user.id} />
          </>
        ) : null}
      </form>
    </Dialog>
  );
}

function Sure({
  what,
  user,
  onClose,
  onLink,
}: {
  what: Ask;
  user: UserRow;
  onClose: () => void;
  onLink: (link: Link) => void;
}) {
  const [factors, setFactors] = useState(false);
  const name = safe(user.name);
  const path = `/users/${part(user.id)}`;
  const run = async () => {
    if (what === "disable") {
      await call("PATCH", path, { body: { disabled: true } });
      done(t("users.done.disabled"));
    } else if (what === "reset") {
      onLink(await call<Link>("POST", `${path}/reset`, { body: { factors } }));
    } else if (what === "logout") {
      const { ended } = await call<{ ended: number }>("DELETE", `${path}/sessions`);
      done(t("logins.ended", { n: ended }));
    } else {
      await call("DELETE", path);
      done(t("users.removed", { name }));
    }
    refresh("/users", "/keys");
  };
  return (
    <Confirm
      open
      danger={what === "remove" || what === "disable"}
      onClose={onClose}
      title={what === "reset" ? t("users.reset.title") : t(`users.${what}.title`, { name })}
      rollback={t(`users.${what}.rollback`)}
      verb={t(`users.${what}`)}
      run={run}
    >
      {what === "reset" ? <Safe text={user.name} block /> : null}
      <p>{t(`users.${what}.text`)}</p>
      {what === "reset" ? (
        <Check
          label={t("users.reset.factors")}
          checked={factors}
          onChange={(event) => setFactors(event.target.checked)}
        />
      ) : null}
    </Confirm>
  );
}
