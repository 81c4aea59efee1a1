/** API keys: made and shown once, rotated with an overlap, bound to addresses, revoked. */
import { type FormEvent, useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useList, useOne } from "../../api/query";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { serverNow } from "../../lib/time";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/settings";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Confirm, Dialog } from "../../widgets/dialog";
import { Input, Select, TextArea } from "../../widgets/field";
import { Once } from "../../widgets/once";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Part, useAct, Wrong } from "./part";
import type { RoleList, UserRow } from "./users";

interface KeyRow {
  id: string;
  name: string;
  scope: string;
  last4: string;
  created_at?: string;
  expires_at?: string;
  expired: boolean;
  used_at?: string;
  used_from?: string;
  from?: string[];
  owner?: string;
  successor?: string;
}
interface NewKey extends KeyRow {
  key: string;
}

/** Scopes of machines; roles of people come beside them. */
const SCOPES = ["read", "ingest", "metrics", "bouncer", "viewer", "auditor", "analyst", "responder", "admin"];
const DAYS = ["30", "90", "365", "0"] as const;
const OVERLAPS = ["24h", "1h", "168h", "0"] as const;

export function Keys() {
  const list = useList<KeyRow>("/keys");
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<KeyRow | null>(null);
  const [revoking, setRevoking] = useState<KeyRow | null>(null);
  const [made, setMade] = useState<NewKey | null>(null);
  return (
    <Part
      title={t("apikeys.title")}
      text={t("apikeys.text")}
      acts={
        <Button kind="primary" onClick={() => setMaking(true)}>
          {t("apikeys.new")}
        </Button>
      }
    >
      {list.error ? <ErrorView error={list.error} onRetry={list.again} /> : null}
      {list.loading ? <Loading rows={4} /> : null}
      {!list.loading && !list.error && list.rows.length === 0 ? (
        <Empty title={t("apikeys.empty")}>{t("apikeys.empty.text")}</Empty>
      ) : null}
      <ul>
        {list.rows.map((key) => (
          <li key={key.id} className="settings-line settings-user">
            <span className="settings-name">
              <Safe text={key.name} /> <span className="mono muted">…{safe(key.last4)}</span>
            </span>
            <span className="grow row wrap">
              <Badge>{safe(key.scope)}</Badge>
              {key.expired ? <Badge kind="warn">{t("apikeys.expired")}</Badge> : null}
              {key.successor ? <Badge>{t("apikeys.replaced")}</Badge> : null}
              {key.owner ? <Safe text={key.owner} className="muted" /> : null}
              <span className="meta">
                {t("apikeys.used")} {key.used_at ? <When at={key.used_at} /> : t("apikeys.never")}{" "}
                {key.used_from ? safe(key.used_from) : ""}
              </span>
              <span className="meta">
                {t("apikeys.expires")}{" "}
                {key.expires_at ? <When at={key.expires_at} exact /> : t("apikeys.expires.never")}
              </span>
              <span className="meta">
                {t("apikeys.from")} {key.from?.length ? safe(key.from.join(", ")) : t("apikeys.from.any")}
              </span>
            </span>
            {key.expired || key.successor ? null : (
              <Button onClick={() => setRotating(key)}>{t("apikeys.rotate")}</Button>
            )}
            <Button kind="danger" onClick={() => setRevoking(key)}>
              {t("apikeys.revoke")}
            </Button>
          </li>
        ))}
      </ul>
      {making ? <Make onClose={() => setMaking(false)} onMade={setMade} /> : null}
      {rotating ? <Rotate row={rotating} onClose={() => setRotating(null)} onMade={setMade} /> : null}
      {revoking ? (
        <Confirm
          open
          danger
          onClose={() => setRevoking(null)}
          title={t("apikeys.revoke.title", { name: safe(revoking.name) })}
          rollback={t("apikeys.revoke.rollback")}
          verb={t("apikeys.revoke")}
          run={async () => {
            await call("DELETE", `/keys/${part(revoking.id)}`);
            refresh("/keys");
            done(t("apikeys.revoked", { name: safe(revoking.name) }));
          }}
        >
          <p>{t("apikeys.revoke.text")}</p>
        </Confirm>
      ) : null}
      {made ? (
        <Once title={t("apikeys.once", { name: safe(made.name) })} secrets={[made.key]} onClose={() => setMade(null)} />
      ) : null}
    </Part>
  );
}

function Make({ onClose, onMade }: { onClose: () => void; onMade: (key: NewKey) => void }) {
  const mayUsers = useMay("users");
  const roles = useOne<RoleList>(mayUsers ? "/roles" : null);
  const users = useList<UserRow>(mayUsers ? "/users" : null);
  const [name, setName] = useState("");
  const [scope, setScope] = useState("read");
  const [days, setDays] = useState<(typeof DAYS)[number]>("90");
  const [from, setFrom] = useState("");
  const [owner, setOwner] = useState("");
  const { busy, error, act } = useAct();
  const own = (roles.data?.items ?? []).filter((role) => !role.built_in).map((role) => role.name);
  const send = (event: FormEvent) => {
    event.preventDefault();
    const places = from.split(/[\s,]+/).filter(Boolean);
    void act(async () => {
      const made = await call<NewKey>("POST", "/keys", {
        body: {
          name: name.trim(),
          scope,
          expires_at: days === "0" ? undefined : new Date(serverNow() + Number(days) * 86_400_000).toISOString(),
          from: places.length > 0 ? places : undefined,
          owner: owner || undefined,
        },
      });
      refresh("/keys");
      onClose();
      onMade(made);
    });
  };
  return (
    <Dialog open size="small" title={t("apikeys.new")} onClose={onClose}>
      <form className="col" onSubmit={send}>
        <Input
          label={t("apikeys.name")}
          value={name}
          maxLength={64}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Select
          label={t("apikeys.scope")}
          value={scope}
          onChange={(event) => setScope(event.target.value)}
          options={[...SCOPES, ...own].map((value) => ({ value, label: safe(value) }))}
        />
        <Select
          label={t("apikeys.expires")}
          value={days}
          onChange={(event) => setDays(event.target.value as (typeof DAYS)[number])}
          options={DAYS.map((value) => ({ value, label: t(`expiry.${value}`) }))}
        />
        <TextArea
          label={t("apikeys.from")}
          hint={t("apikeys.from.hint")}
          value={from}
          rows={2}
          spellCheck={false}
          onChange={(event) => setFrom(event.target.value)}
        />
        {users.rows.length > 0 ? (
          <Select
            label={t("apikeys.owner")}
            hint={t("apikeys.owner.hint")}
            value={owner}
            onChange={(event) => setOwner(event.target.value)}
            options={[
              { value: "", label: t("apikeys.owner.none") },
              ...users.rows.map((user) => ({ value: user.name, label: safe(user.name) })),
            ]}
          />
        ) : null}
        <Wrong text={error} />
        <div className="acts">
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy || name.trim() === ""}>
            {t("apikeys.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Rotate({ row, onClose, onMade }: { row: KeyRow; onClose: () => void; onMade: (key: NewKey) => void }) {
  const [overlap, setOverlap] = useState<(typeof OVERLAPS)[number]>("24h");
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("apikeys.rotate.title", { name: safe(row.name) })}
      rollback={t("apikeys.rotate.rollback")}
      verb={t("apikeys.rotate")}
      run={async () => {
        const made = await call<NewKey>("POST", `/keys/${part(row.id)}/rotate`, {
          body: { overlap: overlap === "0" ? undefined : overlap },
        });
        refresh("/keys");
        onMade(made);
      }}
    >
      <p>{t("apikeys.rotate.text")}</p>
      <Select
        label={t("apikeys.overlap")}
        value={overlap}
        onChange={(event) => setOverlap(event.target.value as (typeof OVERLAPS)[number])}
        options={OVERLAPS.map((value) => ({ value, label: t(`apikeys.overlap.${value}`) }))}
      />
    </Confirm>
  );
}
