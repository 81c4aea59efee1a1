/** The steps of signing in, on the page of their own and over a page whose session ended. */
import { type FormEvent, useState } from "react";
import { login, whoAmI } from "../../api/me";
import { asProblem } from "../../api/problem";
import { t } from "../../locale/rooms/login";
import { Button } from "../../widgets/button";
import { Acts, Input } from "../../widgets/field";
import { errorText } from "../../widgets/views";

export default function SignIn({ onIn }: { onIn?: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const send = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await login(name, password);
      await whoAmI();
      onIn?.();
    } catch (problem) {
      setError(asProblem(problem).status === 401 ? t("wrong") : errorText(problem).detail);
    }
  };
  return (
    <form className="col" onSubmit={(event) => void send(event)}>
      <Input label={t("name")} value={name} autoComplete="username" onChange={(event) => setName(event.target.value)} />
      <Input
        label={t("password")}
        type="password"
        value={password}
        autoComplete="current-password"
        error={error}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Acts>
        <Button kind="primary" type="submit">
          {t("enter")}
        </Button>
      </Acts>
    </form>
  );
}
