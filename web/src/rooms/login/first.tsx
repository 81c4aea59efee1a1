/** A one-time link: it makes the first administrator, or lets somebody choose a new password. */
import { type FormEvent, useState } from "react";
import { firstRun } from "../../api/me";
import type { LoginState } from "../../api/types";
import { t } from "../../locale/rooms/login";
import { Button } from "../../widgets/button";
import { Input } from "../../widgets/field";
import { refusal } from "./form";
import { goodEnough, NewPassword } from "./newpassword";

/** The code of a link, or of what somebody pasted. */
export const tokenOf = (text: string): string => text.trim().replace(/^.*#/, "");

export function FirstRun({
  link,
  fresh,
  onAnswer,
}: {
  link: string;
  fresh: boolean;
  onAnswer: (answer: LoginState) => Promise<void> | void;
}) {
  const [token, setToken] = useState(tokenOf(link));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      await onAnswer(await firstRun(tokenOf(token), name.trim(), password));
    } catch (problem) {
      setError(refusal(problem, t("link.bad")));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="col login-form" onSubmit={(event) => void send(event)}>
      <h2>{t(fresh ? "first" : "link.title")}</h2>
      <p className="muted">{fresh ? (link ? t("first.who") : t("first.text")) : t("link.text")}</p>
      {link ? null : (
        <Input
          label={t("first.token")}
          value={token}
          required
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setToken(event.target.value)}
        />
      )}
      {fresh ? (
        <Input
          label={t("name")}
          value={name}
          required
          maxLength={64}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setName(event.target.value)}
        />
      ) : null}
      <NewPassword value={password} again={again} onValue={setPassword} onAgain={setAgain} error={error} />
      <Button kind="primary" type="submit" busy={busy} disabled={busy || !goodEnough(password, again) || token === ""}>
        {t(fresh ? "first.make" : "link.save")}
      </Button>
    </form>
  );
}
