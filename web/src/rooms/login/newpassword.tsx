/** A new password, twice, with what is missing. */
import { useState } from "react";
import { t } from "../../locale/rooms/login";
import { Check, Input } from "../../widgets/field";

export const LEAST = 12;

export function NewPassword({
  value,
  again,
  onValue,
  onAgain,
  error,
}: {
  value: string;
  again: string;
  onValue: (text: string) => void;
  onAgain: (text: string) => void;
  error?: string;
}) {
  const [shown, setShown] = useState(false);
  const missing = LEAST - [...value].length;
  return (
    <>
      <Input
        label={t("password")}
        type={shown ? "text" : "password"}
        autoComplete="new-password"
        value={value}
        required
        maxLength={1024}
        hint={value !== "" && missing > 0 ? t("password.short", { n: missing }) : t("password.hint")}
        error={error}
        onChange={(event) => onValue(event.target.value)}
      />
      <Input
        label={t("password.again")}
        type={shown ? "text" : "password"}
        autoComplete="new-password"
        value={again}
        required
        maxLength={1024}
        error={again !== "" && !value.startsWith(again) && again !== value ? t("password.differ") : ""}
        onChange={(event) => onAgain(event.target.value)}
      />
      <Check label={t("password.show")} checked={shown} onChange={(event) => setShown(event.target.checked)} />
    </>
  );
}

/** Whether it can be sent. */
export const goodEnough = (value: string, again: string): boolean => [...value].length >= LEAST && value === again;
