/** Changing one's own password, with what it is worth while it is typed. */
import { type FormEvent, useDeferredValue, useEffect, useState } from "react";
import { call } from "../../api/client";
import { whoAmI } from "../../api/me";
import { refresh } from "../../api/query";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/settings";
import { Button } from "../../widgets/button";
import { Input } from "../../widgets/field";
import { done } from "../../widgets/toast";
import { Part, useAct, Wrong } from "./part";

interface Strength {
  score: 0 | 1 | 2 | 3 | 4;
  warning: string;
  suggestions: string[];
  breached: boolean;
}

const LEAST = 12;

export function Password() {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const { busy, error, act } = useAct();
  const strength = useStrength(useDeferredValue(next));
  const short = [...next].length < LEAST;
  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      await call("POST", "/me/password", { body: { old, new: next } });
      setOld("");
      setNext("");
      setAgain("");
      done(t("password.done"));
      refresh("/me");
      await whoAmI();
    });
  };
  return (
    <Part title={t("password.title")} text={t("password.since")}>
      <form className="settings-form" onSubmit={send}>
        <Input
          label={t("password.old")}
          type="password"
          autoComplete="current-password"
          value={old}
          maxLength={1024}
          onChange={(event) => setOld(event.target.value)}
        />
        <Input
          label={t("password.new")}
          type="password"
          autoComplete="new-password"
          value={next}
          maxLength={1024}
          hint={t("password.hint")}
          error={strength?.breached ? t("strength.breached") : ""}
          onChange={(event) => setNext(event.target.value)}
        />
        {next !== "" && strength ? <Meter strength={strength} /> : null}
        <Input
          label={t("password.again")}
          type="password"
          autoComplete="new-password"
          value={again}
          maxLength={1024}
          error={again !== "" && !next.startsWith(again) ? t("password.differ") : ""}
          onChange={(event) => setAgain(event.target.value)}
        />
        <Wrong text={error} />
        <div className="row">
          <Button kind="primary" type="submit" busy={busy} disabled={busy || old === "" || short || next !== again}>
            {t("password.change")}
          </Button>
        </div>
      </form>
    </Part>
  );
}

function Meter({ strength }: { strength: Strength }) {
  const score = Math.max(0, Math.min(4, strength.score)) as Strength["score"];
  return (
    <div className="settings-strength" role="status">
      <meter min={0} max={4} value={score} aria-label={t("strength.label")} />
      <span>
        <b>{t(`strength.${score}`)}</b>{" "}
        {safe([strength.warning, ...(strength.suggestions ?? [])].filter(Boolean).join(" "))}
      </span>
    </div>
  );
}

/** Asks a moment after the last key: what is typed is measured on the server and kept nowhere. */
function useStrength(password: string): Strength | null {
  const [strength, setStrength] = useState<Strength | null>(null);
  useEffect(() => {
    if (password === "") {
      setStrength(null);
      return;
    }
    const control = new AbortController();
    const timer = setTimeout(() => {
      call<Strength>("POST", "/me/password/strength", { body: { password }, signal: control.signal })
        .then(setStrength)
        .catch(() => undefined);
    }, 350);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [password]);
  return strength;
}
