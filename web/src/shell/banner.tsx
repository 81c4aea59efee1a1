/** Bars over a room: the server does not answer; the clocks differ. */
import { useEffect } from "react";
import { call } from "../api/client";
import { connection } from "../api/connection";
import { useHalt } from "../api/halt";
import { live } from "../api/live";
import { queries } from "../api/query";
import { useStore } from "../lib/store";
import { duration } from "../lib/time";
import { t } from "../locale/en";
import { Button } from "../widgets/button";
import { Halted } from "../widgets/halted";

async function tryNow(): Promise<void> {
  try {
    await call("GET", "/me", { quiet: true });
    live.reconnect();
    await queries.invalidateQueries();
  } catch {
    // The banner stays.
  }
}

export function Banners() {
  const { down, ahead } = useStore(connection);
  const halt = useHalt();
  useEffect(() => {
    if (!down) return;
    const timer = setInterval(() => void tryNow(), 3000);
    return () => clearInterval(timer);
  }, [down]);
  return (
    <>
      {down ? (
        <div className="banner" role="alert">
          <span className="grow">
            <b>{t("down.title")}</b> {t("down.text")}
          </span>
          <Button onClick={() => void tryNow()}>{t("down.retry")}</Button>
        </div>
      ) : null}
      {halt?.on ? <Halted by={halt.by} at={halt.at} why={halt.why} /> : null}
      {Math.abs(ahead) > 5000 ? (
        <div className="banner banner-note" role="status">
          {t("status.skew", { time: duration(Math.abs(ahead)) })}
        </div>
      ) : null}
    </>
  );
}
