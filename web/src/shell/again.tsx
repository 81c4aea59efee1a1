/** "Confirm it is you": a fresh proof before what changes keys, users and factors. */
import { type FormEvent, useRef, useState } from "react";
import { call } from "../api/client";
import { passkeysWork, showPasskey } from "../api/passkey";
import { asProblem } from "../api/problem";
import { confirming } from "../api/session";
import { useStore } from "../lib/store";
import { t } from "../locale/en";
import { Button } from "../widgets/button";
import { Dialog } from "../widgets/dialog";
import { Acts, Input } from "../widgets/field";
import { errorText } from "../widgets/views";

export default function Again() {
  const asked = useStore(confirming);
  const field = useRef<HTMLInputElement>(null);
  const [value, setValue] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  if (!asked) return null;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const body = /^\d{6,8}$/.test(value) ? { code: value } : { password: value };
      await call("POST", "/auth/confirm", { body, quiet: true });
      asked.answer(true);
    } catch (problem) {
      setError(asProblem(problem).status === 401 ? t("again.wrong") : errorText(problem).detail);
      field.current?.select();
    } finally {
      setBusy(false);
    }
  };
  const passkey = async () => {
    setBusy(true);
    setError("");
    try {
      if (await showPasskey()) asked.answer(true);
    } catch (problem) {
      setError(asProblem(problem).status === 401 ? t("again.wrong") : errorText(problem).detail);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open size="small" title={t("again.title")} onClose={() => asked.answer(false)} first={field}>
      <form className="col" onSubmit={(event) => void send(event)}>
        <p className="muted">{t("again.text")}</p>
        <Input
          ref={field}
          label={t("again.code")}
          type="password"
          autoComplete="current-password"
          value={value}
          error={error}
          onChange={(event) => setValue(event.target.value)}
        />
        <Acts>
          <Button onClick={() => asked.answer(false)}>{t("cancel")}</Button>
          {passkeysWork() ? (
            <Button disabled={busy} onClick={() => void passkey()}>
              {t("again.passkey")}
            </Button>
          ) : null}
          <Button kind="primary" type="submit" busy={busy} disabled={busy || value === ""}>
            {t("confirm")}
          </Button>
        </Acts>
      </form>
    </Dialog>
  );
}
