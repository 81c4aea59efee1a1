/** Where it comes from: the map, and the table of the same numbers. */
import { useCallback, useMemo } from "react";
import { live } from "../../api/live";
import { useOne } from "../../api/query";
import { useKept } from "../../lib/preferences";
import { useGo } from "../../lib/route";
import { t } from "../../locale/rooms/overview";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { hitsOf, worstOf } from "../../widgets/map/flow";
import { Origins, type OriginsProps } from "../../widgets/map/map";
import { ErrorView, Loading } from "../../widgets/views";
import type { Span } from ".";
import type { WorldMap } from "./types";

export function From({ span }: { span: Span }) {
  const [off, switchOff] = useKept("map.off", false);
  const [home] = useKept("map.home", "");
  const map = useOne<WorldMap>("/map", { span }, 60_000);
  const go = useGo();
  const base = useMemo(
    () =>
      (map.data?.countries ?? [])
        .filter(({ events, country }) => events > 0 && country !== "")
        .map((one) => ({
          country: one.country,
          count: one.events,
          rank: worstOf(one.severity, one.alerts_by_severity),
        })),
    [map.data],
  );
  const listen = useCallback<OriginsProps["listen"]>(
    (take) =>
      live.listen(["events"], (flush) =>
        take(hitsOf(flush.messages.map((message) => message.row)).filter(({ country }) => country !== "")),
      ),
    [],
  );
  return (
    <section className="overview-from" aria-labelledby="overview-from">
      <header className="row overview-head">
        <h2 id="overview-from">{t("map.title")}</h2>
        <span className="grow" />
        <Go path="/map" className="overview-way">
          {t("map.full")}
        </Go>
        <Button kind="quiet" onClick={() => switchOff(!off)}>
          {t(off ? "map.on" : "map.off")}
        </Button>
      </header>
      {map.error ? (
        <ErrorView error={map.error} onRetry={() => void map.refetch()} />
      ) : map.isPending ? (
        <Loading rows={5} />
      ) : (
        <Origins
          base={base}
          listen={listen}
          home={home || undefined}
          off={off}
          rows={5}
          layout="under"
          onCountry={(country) => go("/map", { country })}
          foot={[...new Set(map.data.credit)].map((line) => (
            <p key={line} className="meta cut" title={line}>
              {line}
            </p>
          ))}
        />
      )}
    </section>
  );
}
