/** One's own second factors: an authenticator app, passkeys, and codes for when both are lost. */
import { type FormEvent, type ReactNode, useState } from "react";
import { call } from "../../api/client";
import { whoAmI } from "../../api/me";
import { makePasskey, passkeysWork } from "../../api/passkey";
import { refresh, useOne } from "../../api/query";
import type { Page } from "../../api/types";
import { part } from "../../lib/route";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/settings";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { CopyButton } from "../../widgets/copy";
import { Confirm, Dialog } from "../../widgets/dialog";
import { Input } from "../../widgets/field";
import { Once } from "../../widgets/once";
import { Qr } from "../../widgets/qr";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Part, useAct, Wrong } from "./part";

interface MyFactors {
  totp: boolean;
  passkeys: number;
  recovery_codes: number;
  passkeys_here: boolean;
}
interface PasskeyRow {
  id: string;
  name: string;
  created_at: string;
  used_at?: string;
  backed_up: boolean;
}
type Open = "none" | "totp" | "untotp" | "passkey" | "codes";

export function Factors() {
  const have = useOne<MyFactors>("/me/factors");
  const keys = useOne<Page<PasskeyRow>>("/me/passkeys");
  const [open, setOpen] = useState<Open>("none");
  const [removing, setRemoving] = useState<PasskeyRow | null>(null);
  const [naming, setNaming] = useState<PasskeyRow | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const changed = () => {
    refresh("/me");
    void whoAmI();
  };
  const got = (made: string[] | undefined) => {
    setOpen("none");
    if (made && made.length > 0) setCodes(made);
    changed();
  };
  if (have.error) return <ErrorView error={have.error} onRetry={() => void have.refetch()} />;
  if (!have.data) return <Loading rows={4} />;
  const { data } = have;
  const none = !data.totp && data.passkeys === 0;
  const able = passkeysWork() && data.passkeys_here;
  return (
    <Part title={t("factors.title")} text={none ? undefined : t("factors.text")}>
      {none ? <p className="settings-warn">{t("factors.none")}</p> : null}
      <Line
        name={t("totp.title")}
        state={<Badge kind={data.totp ? "ok" : "plain"}>{t(data.totp ? "totp.on" : "totp.off")}</Badge>}
      >
        <Button onClick={() => setOpen("totp")}>{t(data.totp ? "totp.again" : "totp.set")}</Button>
        {data.totp ? <Button onClick={() => setOpen("untotp")}>{t("totp.remove")}</Button> : null}
      </Line>
      <Line
        name={t("passkeys.title")}
        state={data.passkeys === 0 ? <Badge>{t("passkeys.none")}</Badge> : <Badge kind="ok">{data.passkeys}</Badge>}
      >
        {able ? (
          <Button onClick={() => setOpen("passkey")}>{t("passkeys.add")}</Button>
        ) : (
          <span className="meta">{t("passkeys.unable")}</span>
        )}
      </Line>
      <ul className="settings-sub">
        {keys.data?.items.map((key) => (
          <li key={key.id} className="settings-line">
            <span className="settings-name">
              <Safe text={key.name} /> {key.backed_up ? <Badge>{t("passkeys.backed")}</Badge> : null}
            </span>
            <span className="muted grow">
              {key.used_at ? (
                <>
                  {t("passkeys.used")} <When at={key.used_at} />
                </>
              ) : (
                t("passkeys.never")
              )}
            </span>
            <Button kind="quiet" onClick={() => setNaming(key)}>
              {t("passkeys.rename")}
            </Button>
            <Button kind="quiet" onClick={() => setRemoving(key)}>
              {t("passkeys.remove")}
            </Button>
          </li>
        ))}
      </ul>
      <Line
        name={t("codes.title")}
        state={
          <Badge kind={data.recovery_codes === 0 && !none ? "warn" : "plain"}>
            {data.recovery_codes === 0 ? t("codes.none") : t("codes.left", { n: data.recovery_codes })}
          </Badge>
        }
      >
        {none ? null : <Button onClick={() => setOpen("codes")}>{t("codes.make")}</Button>}
      </Line>
      {open === "totp" ? <Totp onClose={() => setOpen("none")} onDone={got} /> : null}
      {open === "passkey" ? (
        <Name
          title={t("passkeys.add")}
          verb={t("passkeys.add")}
          given={t("passkeys.given")}
          onClose={() => setOpen("none")}
          run={async (name) => {
            const made = await makePasskey(name);
            if (!made) return;
            done(t("passkeys.added"));
            got(made.codes);
          }}
        />
      ) : null}
      {open === "untotp" ? (
        <Confirm
          open
          danger
          onClose={() => setOpen("none")}
          title={t("totp.remove.title")}
          rollback={t("totp.rollback")}
          verb={t("totp.remove")}
          run={async () => {
            await call("DELETE", "/me/totp");
            done(t("totp.removed"));
            changed();
          }}
        >
          <p>{t("totp.remove.text")}</p>
        </Confirm>
      ) : null}
      {open === "codes" ? (
        <Confirm
          open
          onClose={() => setOpen("none")}
          title={t("codes.confirm.title")}
          rollback={t("codes.rollback")}
          verb={t("codes.make")}
          run={async () => got((await call<{ codes: string[] }>("POST", "/me/recovery-codes")).codes)}
        >
          <p>{t("codes.confirm.text")}</p>
        </Confirm>
      ) : null}
      {removing ? (
        <Confirm
          open
          danger
          onClose={() => setRemoving(null)}
          title={t("passkeys.remove.title")}
          rollback={t("passkeys.rollback")}
          verb={t("passkeys.remove")}
          run={async () => {
            await call("DELETE", `/me/passkeys/${part(removing.id)}`);
            done(t("passkeys.removed"));
            changed();
          }}
        >
          <Safe text={removing.name} block />
          <p>{t("passkeys.remove.text")}</p>
        </Confirm>
      ) : null}
      {naming ? (
        <Name
          title={t("passkeys.rename")}
          verb={shell("save")}
          given={naming.name}
          onClose={() => setNaming(null)}
          run={async (name) => {
            await call("PATCH", `/me/passkeys/${part(naming.id)}`, { body: { name } });
            refresh("/me");
            setNaming(null);
          }}
        />
      ) : null}
      {codes ? (
        <Once title={t("codes.title")} secrets={codes} onClose={() => setCodes(null)}>
          <p>{t("codes.text")}</p>
        </Once>
      ) : null}
    </Part>
  );
}

function Line({ name, state, children }: { name: string; state: ReactNode; children: ReactNode }) {
  return (
    <div className="settings-line">
      <span className="settings-name">{name}</span>
      <span className="grow">{state}</span>
      {children}
    </div>
  );
}

function Totp({ onClose, onDone }: { onClose: () => void; onDone: (codes: string[]) => void }) {
  const [app, setApp] = useState<{ secret: string; qr: string[] } | null>(null);
  const [code, setCode] = useState("");
  const { busy, error, act } = useAct();
  const begin = () =>
    void act(async () => setApp(await call<{ secret: string; qr: string[] }>("POST", "/me/totp", { body: {} })));
  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      const made = await call<{ codes: string[] }>("POST", "/me/totp/confirm", {
        body: { code: code.replace(/\s/g, "") },
      });
      done(t("totp.done"));
      onDone(made.codes);
    });
  };
  return (
    <Dialog open size="small" title={t("totp.title")} onClose={onClose}>
      {app ? (
        <form className="col" onSubmit={send}>
          <p>{t("totp.scan")}</p>
          <Qr rows={app.qr} label={t("totp.qr")} />
          <p className="row wrap">
            <span className="muted">{t("totp.secret")}</span>
            <code className="settings-secret">{app.secret}</code>
            <CopyButton text={app.secret} what={t("totp.secret")} />
          </p>
          <Input
            label={t("totp.code")}
            value={code}
            error={error}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={16}
            onChange={(event) => setCode(event.target.value)}
          />
          <div className="acts">
            <Button onClick={onClose}>{shell("cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy} disabled={busy || code === ""}>
              {t("totp.confirm")}
            </Button>
          </div>
        </form>
      ) : (
        <div className="col">
          <p>{t("factors.text")}</p>
          <Wrong text={error} />
          <div className="acts">
            <Button onClick={onClose}>{shell("cancel")}</Button>
            <Button kind="primary" busy={busy} disabled={busy} onClick={begin}>
              {t("totp.set")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** Asks what a passkey is called: for a new one, or for one there is. */
function Name({
  title,
  verb,
  given,
  run,
  onClose,
}: {
  title: string;
  verb: string;
  given: string;
  run: (name: string) => Promise<void>;
  onClose: () => void;
}) {
  const [name, setName] = useState(given);
  const { busy, error, act } = useAct();
  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(() => run(name.trim()));
  };
  return (
    <Dialog open size="small" title={title} onClose={onClose}>
      <form className="col" onSubmit={send}>
        <Input
          label={t("passkeys.name")}
          value={name}
          maxLength={100}
          error={error}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="acts">
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={busy || name.trim() === ""}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
