/** The status bar: whether what is shown is live. */
import { connection } from "../api/connection";
import { number } from "../lib/i18n";
import { useStore } from "../lib/store";
import { clockTime, duration } from "../lib/time";
import { t } from "../locale/en";
import { Kbd } from "../widgets/kbd";
import { overlay } from "./frame";

export function StatusBar() {
  const { stream, staleSince, lag, rate } = useStore(connection);
  const state = staleSince !== null && stream === "connected" ? "stale" : stream;
  return (
    <footer className={`status status-${state}`} aria-label={t("status.label")}>
      <span className="row" aria-live="polite">
        <span className="status-dot" aria-hidden="true" />
        {state === "stale" || (state === "reconnecting" && staleSince !== null) ? (
          <>
            {state === "reconnecting" ? `${t("status.reconnecting")}, ` : ""}
            {t("status.stale", { time: clockTime(staleSince ?? 0) })}
          </>
        ) : (
          t(`status.${stream}`)
        )}
      </span>
      {stream === "connected" ? (
        <>
          {lag === null ? null : <span>{t("status.lag", { time: duration(lag) })}</span>}
          <span>{t("status.rate", { rate: number(rate, { maximumFractionDigits: 1 }) })}</span>
        </>
      ) : null}
      <button type="button" className="status-keys" onClick={() => overlay.set("keys")}>
        <Kbd keys="?" /> {t("status.keys")}
      </button>
    </footer>
  );
}
