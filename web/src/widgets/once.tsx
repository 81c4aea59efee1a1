/** A secret that is shown this once: it closes only when somebody says that it is kept. */
import { type ReactNode, useState } from "react";
import { t } from "../locale/desk";
import { Button } from "./button";
import { copyRaw } from "./copy";
import { Dialog } from "./dialog";
import { Check } from "./field";
import "./once.css";

export function Once({
  title,
  secrets,
  children,
  onClose,
}: {
  title?: string;
  secrets: readonly string[];
  children?: ReactNode;
  onClose: () => void;
}) {
  const [kept, setKept] = useState(false);
  return (
    <Dialog
      open
      firm
      title={title ?? t("once.title")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => void copyRaw(secrets.join("\n"))}>{t("once.copy")}</Button>
          <Button kind="primary" disabled={!kept} onClick={onClose}>
            {t("once.done")}
          </Button>
        </>
      }
    >
      <div className="col">
        {children}
        <p>{t("once.text")}</p>
        <ul className={secrets.length > 1 ? "once once-many" : "once"}>
          {secrets.map((secret) => (
            <li key={secret}>
              <code dir="ltr">{secret}</code>
            </li>
          ))}
        </ul>
        <Check label={t("once.kept")} checked={kept} onChange={(event) => setKept(event.target.checked)} />
      </div>
    </Dialog>
  );
}
