/** A password that is due to be changed. */
import { type FormEvent, useEffect, useState } from "react";
import { call } from "../../api/client";
import { t } from "../../locale/rooms/login";
import { Button } from "../../widgets/button";
import { Input } from "../../widgets/field";
import { refusal } from "./form";
import { goodEnough, NewPassword } from "./newpassword";

interface Strength {
  score: number;
  warning: string;
  suggestions: string[];
  breached: boolean;
}

export function ChangePassword({ onDone }: { onDone: () => void }) {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await call("POST", "/me/password", { body: { old, new: password }, quiet: true });
      onDone();
    } catch (problem) {
      setError(refusal(problem, t("wrong")));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="col login-form" onSubmit={(event) => void send(event)}>
      <h2>{t("change.title")}</h2>
      <p className="muted">{t("change.text")}</p>
      <Input
        label={t("change.old")}
        type="password"
        autoComplete="current-password"
        value={old}
        required
        onChange={(event) => setOld(event.target.value)}
      />
      <NewPassword value={password} again={again} onValue={setPassword} onAgain={setAgain} error={error} />
      <StrengthBar password={password} />
      <Button kind="primary" type="submit" busy={busy} disabled={busy || !goodEnough(password, again)}>
        {t("change.save")}
      </Button>
    </form>
  );
}

/** How good a password would be, asked a moment after the last key. */
export function StrengthBar({ password }: { password: string }) {
  const [strength, setStrength] = useState<Strength | null>(null);
  useEffect(() => {
    if (password === "") return setStrength(null);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call<Strength>("POST", "/me/password/strength", { body: { password }, quiet: true, signal: abort.signal })
        .then(setStrength)
        .catch(() => setStrength(null));
    }, 300);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [password]);
  if (!strength) return null;
  const score = Math.min(4, Math.max(0, Math.round(strength.score))) as 0 | 1 | 2 | 3 | 4;
  return (
    <div className="col" aria-live="polite">
      <div className="row">
        <meter
          className="login-meter"
          min={0}
          max={4}
          low={2}
          high={3}
          optimum={4}
          value={score}
          aria-label={t("strength.label")}
        />
        <span>{t(`strength.${score}`)}</span>
      </div>
      {strength.breached ? <p className="field-error">{t("strength.breached")}</p> : null}
      {strength.warning ? <p className="muted">{strength.warning}</p> : null}
      {strength.suggestions.map((text) => (
        <p key={text} className="meta">
          {text}
        </p>
      ))}
    </div>
  );
}
