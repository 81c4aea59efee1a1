/** Setting a second factor: a passkey or an app; then the recovery codes, shown once. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { call } from "../../api/client";
import { makePasskey, passkeysWork } from "../../api/passkey";
import { t } from "../../locale/rooms/login";
import { Button } from "../../widgets/button";
import { CopyButton, copyRaw } from "../../widgets/copy";
import { Check, Input } from "../../widgets/field";
import { Qr } from "../../widgets/qr";
import { refusal } from "./form";

interface NewTOTP {
  secret: string;
  uri: string;
  qr: string[];
}

export function Enrol({ onDone }: { onDone: () => void }) {
  const [app, setApp] = useState<NewTOTP | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [name, setName] = useState(t("enrol.passkey.given"));
  const act = async (run: () => Promise<void>) => {
    setBusy(true);
    setError("");
    try {
      await run();
    } catch (problem) {
      setError(refusal(problem, t("second.wrong")));
    } finally {
      setBusy(false);
    }
  };
  const finish = (made: string[] | undefined) => (made && made.length > 0 ? setCodes(made) : onDone());
  if (codes) return <Codes codes={codes} onDone={onDone} />;
  if (app) {
    return (
      <Confirm
        app={app}
        busy={busy}
        error={error}
        onBack={() => setApp(null)}
        onCode={(code) =>
          void act(async () =>
            finish(
              (await call<{ codes: string[] }>("POST", "/me/totp/confirm", { body: { code }, quiet: true })).codes,
            ),
          )
        }
      />
    );
  }
  return (
    <div className="col login-steps">
      <h2>{t("enrol.title")}</h2>
      <p className="muted">{t("enrol.text")}</p>
      {passkeysWork() ? (
        <section className="login-way">
          <h3>{t("enrol.passkey")}</h3>
          <p>{t("enrol.passkey.text")}</p>
          <Input
            label={t("enrol.passkey.name")}
            value={name}
            maxLength={100}
            onChange={(event) => setName(event.target.value)}
          />
          <Button
            kind="primary"
            busy={busy}
            disabled={busy || name.trim() === ""}
            onClick={() =>
              void act(async () => {
                const made = await makePasskey(name.trim());
                if (made) finish(made.codes);
              })
            }
          >
            {t("enrol.passkey.add")}
          </Button>
        </section>
      ) : null}
      <section className="login-way">
        <h3>{t("enrol.totp")}</h3>
        <p>{t("enrol.totp.text")}</p>
        <Button
          busy={busy}
          disabled={busy}
          onClick={() =>
            void act(async () => setApp(await call<NewTOTP>("POST", "/me/totp", { body: {}, quiet: true })))
          }
        >
          {t("enrol.totp.add")}
        </Button>
      </section>
      {error ? (
        <p className="field-error" role="alert">
          {error}
        </p>
      ) : null}
    </div>
  );
}

function Confirm({
  app,
  busy,
  error,
  onBack,
  onCode,
}: {
  app: NewTOTP;
  busy: boolean;
  error: string;
  onBack: () => void;
  onCode: (code: string) => void;
}) {
  const [code, setCode] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onCode(code.replace(/\s/g, ""));
  };
  return (
    <form className="col login-form" onSubmit={send}>
      <h2>{t("enrol.totp")}</h2>
      <p className="muted">{t("enrol.scan")}</p>
      <Qr rows={app.qr} label={t("enrol.qr")} />
      <p className="row wrap">
        <span className="muted">{t("enrol.secret")}</span>
        <code className="login-secret">{app.secret}</code>
        <CopyButton text={app.secret} what={t("enrol.secret")} />
      </p>
      <Input
        ref={field}
        label={t("enrol.code")}
        value={code}
        error={error}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={16}
        onChange={(event) => setCode(event.target.value)}
      />
      <Button kind="primary" type="submit" busy={busy} disabled={busy || code === ""}>
        {t("enrol.confirm")}
      </Button>
      <Button kind="quiet" onClick={onBack}>
        {t("enrol.back")}
      </Button>
    </form>
  );
}

function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const [kept, setKept] = useState(false);
  return (
    <div className="col login-steps">
      <h2>{t("codes.title")}</h2>
      <p className="muted">{t("codes.text")}</p>
      <ul className="login-codes">
        {codes.map((code) => (
          <li key={code} className="mono">
            {code}
          </li>
        ))}
      </ul>
      <Button onClick={() => void copyRaw(codes.join("\n"))}>{t("codes.copy")}</Button>
      <Check label={t("codes.kept")} checked={kept} onChange={(event) => setKept(event.target.checked)} />
      <Button kind="primary" disabled={!kept} onClick={onDone}>
        {t("codes.go")}
      </Button>
    </div>
  );
}
