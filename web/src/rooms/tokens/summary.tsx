/** How well honeytokens work: figures with what they were counted from. */
import { useOne } from "../../api/query";
import type { Honeytoken, KPI, Page, Sensor } from "../../api/types";
import { number, percent } from "../../lib/i18n";
import { safe } from "../../lib/safe";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/tokens";
import { Badge } from "../../widgets/badge";
import { coverage, dwell, median } from "./state";

export function Summary({ tokens, whole }: { tokens: readonly Honeytoken[]; whole: boolean }) {
  const kpi = useOne<KPI>("/report/kpi");
  const sensors = useOne<Page<Sensor>>("/sensors");
  const share = kpi.data?.shares.find((one) => one.name === "honeytoken_effectiveness");
  const cover = coverage(sensors.data?.items ?? [], tokens);
  const all = sensors.data?.items.length ?? 0;
  const read = tokens.filter((token) => token.exposures > 0).length;
  const middle = median(tokens.map(dwell));
  const more = whole ? "" : "+";
  return (
    <dl className="tokens-sum">
      <div title={t("sum.effect.text")}>
        <dt>{t("sum.effect")}</dt>
        {share && share.n > 0 && share.value !== undefined ? (
          <>
            <dd className="tokens-figure">{percent(share.value, 0)}</dd>
            <dd className="meta">
              {t("sum.n", { n: share.n })},{" "}
              {t("sum.interval", { low: percent(share.low ?? 0, 0), high: percent(share.high ?? 1, 0) })}
            </dd>
            <dd className="meta">
              {t("sum.target", { target: percent(share.target_above ?? 0.9, 0) })}{" "}
              {share.result === "met" ? (
                <Badge>{t("sum.met")}</Badge>
              ) : share.result === "missed" ? (
                <Badge kind="warn">{t("sum.missed")}</Badge>
              ) : null}
            </dd>
          </>
        ) : (
          <>
            <dd className="tokens-figure muted">{kpi.isPending ? "…" : t("sum.none")}</dd>
            <dd className="meta">{t("sum.none.text")}</dd>
          </>
        )}
      </div>
      <div title={t("sum.coverage.text")}>
        <dt>{t("sum.coverage")}</dt>
        <dd className="tokens-figure">
          {all === 0 ? <span className="muted">{t("sum.none")}</span> : t("sum.coverage.of", { n: cover.covered, all })}
        </dd>
        <dd className="meta">
          {cover.not.length > 0
            ? t("sum.coverage.not", { names: cover.not.map(safe).join(", ") })
            : t("sum.coverage.text")}
        </dd>
      </div>
      <div title={t("sum.reads.text")}>
        <dt>{t("sum.reads")}</dt>
        <dd className="tokens-figure">
          {tokens.length === 0 ? (
            <span className="muted">{t("sum.none")}</span>
          ) : (
            t("sum.coverage.of", { n: number(read), all: `${number(tokens.length)}${more}` })
          )}
        </dd>
        <dd className="meta">{t("sum.reads.text")}</dd>
      </div>
      <div title={t("sum.dwell.text")}>
        <dt>{t("sum.dwell")}</dt>
        <dd className="tokens-figure">
          {Number.isNaN(middle) ? <span className="muted">{t("sum.none")}</span> : duration(middle)}
        </dd>
        <dd className="meta">{t("sum.dwell.text")}</dd>
      </div>
    </dl>
  );
}
