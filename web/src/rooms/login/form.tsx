/**
 * The steps of signing in: name and password, second factor, enrolment, a new
 * password where one is due. On a page of its own, and over a page whose session
 * ended. Nothing of it is kept when it is done.
 */
import "./login.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { login, methods, secondFactor, whoAmI } from "../../api/me";
import { passkeysWork, showPasskey } from "../../api/passkey";
import { asProblem } from "../../api/problem";
import type { LoginState, Me } from "../../api/types";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/login";
import { Button } from "../../widgets/button";
import { Acts, Input } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { note } from "../../widgets/toast";
import { ErrorView, errorText, Loading } from "../../widgets/views";
import { ChangePassword } from "./change";
import { Enrol } from "./enrol";
import { FirstRun } from "./first";

type Step = "password" | "second" | "enrol" | "change";

export default function SignIn({ onIn, link, begin }: { onIn?: () => void; link?: string; begin?: Me | null }) {
  const ways = useQuery({ queryKey: ["/auth/methods"], queryFn: methods, staleTime: 0, retry: 20, retryDelay: 2000 });
  const [step, setStep] = useState<Step>(begin?.must_change_password ? "change" : begin?.enrol ? "enrol" : "password");
  const [state, setState] = useState<LoginState | null>(null);

  /** Goes where the answer says. */
  const follow = async (answer: LoginState) => {
    setState(answer);
    if (answer.state === "second") return setStep("second");
    if (answer.state === "enrol") return setStep("enrol");
    const failures = answer.failed ?? 0;
    if (failures > 0) note(t("failed", { n: failures }));
    const me = await whoAmI();
    if (me?.must_change_password) return setStep("change");
    if (me) onIn?.();
  };

  if (ways.isPending && ways.failureCount > 0) return <p role="status">{t("offline")}</p>;
  if (ways.isPending) return <Loading rows={4} />;
  if (ways.error) return <ErrorView error={ways.error} onRetry={() => void ways.refetch()} />;
  if (step === "enrol") return <Enrol onDone={() => void follow({ state: "in" })} />;
  if (step === "change") return <ChangePassword onDone={() => void follow({ state: "in" })} />;
  if (step === "second" && state) return <Second state={state} onAnswer={follow} onBack={() => setStep("password")} />;
  if (link !== undefined || ways.data.first_run)
    return <FirstRun link={link ?? ""} fresh={ways.data.first_run} onAnswer={follow} />;
  return (
    <div className="col login-steps">
      {ways.data.banner ? <Safe text={ways.data.banner} block className="login-banner" /> : null}
      <Password onAnswer={follow} />
      {(ways.data.passkey && passkeysWork()) || ways.data.oidc.length > 0 ? (
        <p className="login-or">{t("or")}</p>
      ) : null}
      {ways.data.passkey && passkeysWork() ? <PasskeyButton label={t("passkey")} onAnswer={follow} /> : null}
      {ways.data.oidc.map((provider) => (
        <a
          key={provider.id}
          className="button"
          href={`/api/v1/auth/oidc/${encodeURIComponent(provider.id)}/start?to=${encodeURIComponent(location.pathname.startsWith("/login") ? "/" : location.pathname + location.search)}`}
        >
          {t("oidc", { label: safe(provider.label) })}
        </a>
      ))}
    </div>
  );
}

type Follow = (answer: LoginState) => Promise<void> | void;

/** What to say of a refusal. */
export function refusal(error: unknown, wrong: string): string {
  const problem = asProblem(error);
  if (problem.status === 401) return wrong;
  if (problem.status === 429) return t("limited", { n: Math.max(1, Math.round(problem.retryAfter)) });
  return errorText(problem).detail;
}

function Password({ onAnswer }: { onAnswer: Follow }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await onAnswer(await login(name.trim(), password));
    } catch (problem) {
      setError(refusal(problem, t("wrong")));
      setPassword("");
      second.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="col login-form" onSubmit={(event) => void send(event)}>
      <Input
        ref={first}
        label={t("name")}
        value={name}
        autoComplete="username webauthn"
        autoCapitalize="none"
        spellCheck={false}
        required
        maxLength={128}
        onChange={(event) => setName(event.target.value)}
      />
      <Input
        ref={second}
        label={t("password")}
        type="password"
        value={password}
        autoComplete="current-password"
        required
        maxLength={1024}
        error={error}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button kind="primary" type="submit" busy={busy} disabled={busy}>
        {t("enter")}
      </Button>
    </form>
  );
}

export function PasskeyButton({ label, onAnswer, primary }: { label: string; onAnswer: Follow; primary?: boolean }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const use = async () => {
    setBusy(true);
    setError("");
    try {
      const answer = await showPasskey();
      if (answer) await onAnswer(answer);
    } catch (problem) {
      setError(refusal(problem, t("second.wrong")));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button kind={primary ? "primary" : "plain"} busy={busy} disabled={busy} onClick={() => void use()}>
        {label}
      </Button>
      {error ? (
        <p className="field-error" role="alert">
          {error}
        </p>
      ) : null}
    </>
  );
}

function Second({ state, onAnswer, onBack }: { state: LoginState; onAnswer: Follow; onBack: () => void }) {
  const has = (kind: "totp" | "passkey" | "recovery") => state.methods?.includes(kind) ?? false;
  const [kind, setKind] = useState<"totp" | "recovery">(has("totp") ? "totp" : "recovery");
  const [code, setCode] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another kind is another field
  useEffect(() => field.current?.focus(), [kind]);
  const typed = has("totp") || has("recovery");
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await onAnswer(await secondFactor(kind, code.replace(/\s/g, "")));
    } catch (problem) {
      setError(refusal(problem, t("second.wrong")));
      setCode("");
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="col login-steps">
      <h2>{t("second.title")}</h2>
      <p className="muted">{t("second.text", { user: safe(state.user ?? "") })}</p>
      {has("passkey") && passkeysWork() ? (
        <PasskeyButton primary={!has("totp")} label={t("passkey.use")} onAnswer={onAnswer} />
      ) : null}
      {typed ? (
        <form className="col login-form" onSubmit={(event) => void send(event)}>
          <Input
            ref={field}
            label={t(kind === "totp" ? "second.totp" : "second.recovery")}
            hint={t(kind === "totp" ? "second.totp.hint" : "second.recovery.hint")}
            value={code}
            error={error}
            inputMode={kind === "totp" ? "numeric" : "text"}
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={64}
            onChange={(event) => setCode(event.target.value)}
          />
          <Button kind="primary" type="submit" busy={busy} disabled={busy}>
            {t("second.go")}
          </Button>
        </form>
      ) : null}
      <Acts>
        {kind === "totp" && has("recovery") ? (
          <Button kind="quiet" onClick={() => setKind("recovery")}>
            {t("second.useRecovery")}
          </Button>
        ) : null}
        {kind === "recovery" && has("totp") ? (
          <Button kind="quiet" onClick={() => setKind("totp")}>
            {t("second.useTotp")}
          </Button>
        ) : null}
        <Button kind="quiet" onClick={onBack}>
          {t("second.start")}
        </Button>
      </Acts>
    </div>
  );
}
