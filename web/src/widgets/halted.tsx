/** A bar over every room while the stop switch is on. */
import { ago } from "../lib/time";
import { t } from "../locale/work";
import { Go } from "./go";
import { Safe } from "./safe";
import "./work.css";

export function Halted({ by, at, why }: { by?: string; at?: string; why?: string }) {
  return (
    <div className="banner banner-note" role="status">
      <span className="grow work-words">
        <b>{t("halted.title")}</b>{" "}
        <Safe text={t("halted.text", { who: by ?? "", time: at ? ago(at) : "", why: why ?? "" })} block />
      </span>
      <Go path="/response">{t("halted.go")}</Go>
    </div>
  );
}
