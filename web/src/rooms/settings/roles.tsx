/** Roles as a matrix: what there is to grant, and who may it. */
import { type FormEvent, useState } from "react";
import { call } from "../../api/client";
import { useMe } from "../../api/me";
import { refresh, useOne } from "../../api/query";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/settings";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Confirm, Dialog } from "../../widgets/dialog";
import { Check, Input } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { Part, useAct, Wrong } from "./part";
import type { RoleList, RoleRow } from "./users";

export function Roles() {
  const got = useOne<RoleList>("/roles");
  const [editing, setEditing] = useState<RoleRow | "new" | null>(null);
  const [removing, setRemoving] = useState<RoleRow | null>(null);
  if (got.error) return <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  if (!got.data) return <Loading />;
  const { items, permissions } = got.data;
  return (
    <Part
      title={t("roles.title")}
      text={t("roles.text")}
      acts={
        <Button kind="primary" onClick={() => setEditing("new")}>
          {t("roles.new")}
        </Button>
      }
    >
      <div className="settings-scroll" tabIndex={0}>
        <table className="plain-table settings-matrix">
          <thead>
            <tr>
              <th scope="col">{t("roles.permission")}</th>
              {items.map((role) => (
                <th key={role.name} scope="col">
                  <Safe text={role.name} />
                  {role.built_in ? null : (
                    <span className="row">
                      <Button
                        kind="quiet"
                        aria-label={`${t("roles.edit")}: ${safe(role.name)}`}
                        onClick={() => setEditing(role)}
                      >
                        {t("roles.edit")}
                      </Button>
                      <Button
                        kind="quiet"
                        aria-label={`${t("roles.remove")}: ${safe(role.name)}`}
                        onClick={() => setRemoving(role)}
                      >
                        ×
                      </Button>
                    </span>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {permissions.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <span className="mono">{one.name}</span> <span className="meta">{one.text}</span>
                </th>
                {items.map((role) => (
                  <td key={role.name}>
                    {role.permissions.includes(one.name) ? (
                      <span role="img" aria-label={t("roles.may")}>
                        ✓
                      </span>
                    ) : (
                      <span role="img" className="muted" aria-label={t("roles.maynot")}>
                        ·
                      </span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className="settings-sub">
        {items.map((role) => (
          <li key={role.name} className="row wrap">
            <Safe text={role.name} />
            {role.built_in ? <Badge>{t("roles.builtin")}</Badge> : null}
            <span className="muted">{safe(role.title)}</span>
          </li>
        ))}
      </ul>
      {editing ? (
        <Edit role={editing === "new" ? null : editing} permissions={permissions} onClose={() => setEditing(null)} />
      ) : null}
      {removing ? (
        <Confirm
          open
          danger
          onClose={() => setRemoving(null)}
          title={t("roles.remove.title", { name: safe(removing.name) })}
          rollback={t("roles.remove.rollback")}
          verb={t("roles.remove")}
          run={async () => {
            await call("DELETE", `/roles/${part(removing.name)}`);
            refresh("/roles");
            done(t("roles.removed"));
          }}
        >
          <p>{t("roles.remove.text")}</p>
        </Confirm>
      ) : null}
    </Part>
  );
}

function Edit({
  role,
  permissions,
  onClose,
}: {
  role: RoleRow | null;
  permissions: RoleList["permissions"];
  onClose: () => void;
}) {
  const mine = useMe()?.permissions ?? [];
  const [name, setName] = useState(role?.name ?? "");
  const [title, setTitle] = useState(role?.title ?? "");
  const [granted, setGranted] = useState<ReadonlySet<string>>(new Set(role?.permissions ?? ["read"]));
  const { busy, error, act } = useAct();
  const send = (event: FormEvent) => {
    event.preventDefault();
    const set = permissions.map((one) => one.name).filter((one) => granted.has(one));
    void act(async () => {
      if (role) await call("PATCH", `/roles/${part(role.name)}`, { body: { title, permissions: set } });
      else await call("POST", "/roles", { body: { name: name.trim(), title: title || undefined, permissions: set } });
      refresh("/roles");
      done(t(role ? "roles.saved" : "roles.made"));
      onClose();
    });
  };
  return (
    <Dialog open title={role ? t("roles.change.title", { name: safe(role.name) }) : t("roles.new")} onClose={onClose}>
      <form className="col" onSubmit={send}>
        {role ? (
          <p className="muted">{t("roles.holds")}</p>
        ) : (
          <Input
            label={t("roles.name")}
            hint={t("roles.name.hint")}
            value={name}
            maxLength={32}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        )}
        <Input
          label={t("roles.titled")}
          value={title}
          maxLength={200}
          onChange={(event) => setTitle(event.target.value)}
        />
        <fieldset className="settings-grant">
          <legend className="input-label">{t("roles.permission")}</legend>
          {permissions.map((one) => (
            <Check
              key={one.name}
              disabled={!mine.includes(one.name) && !granted.has(one.name)}
              checked={granted.has(one.name)}
              onChange={(event) => {
                const next = new Set(granted);
                if (event.target.checked) next.add(one.name);
                else next.delete(one.name);
                setGranted(next);
              }}
              label={
                <>
                  <span className="mono">{one.name}</span> <span className="meta">{one.text}</span>
                </>
              }
            />
          ))}
        </fieldset>
        <Wrong text={error} />
        <div className="acts">
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy || granted.size === 0 || name.trim() === ""}>
            {role ? shell("save") : t("roles.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
