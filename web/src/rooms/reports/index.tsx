/** Reports: key figures of a span, what one shift hands to the next, and rows as files. */
import "./reports.css";
import { useState } from "react";
import { useMe } from "../../api/me";
import { useGo, useItem, useQueryState } from "../../lib/route";
import { day } from "../../lib/time";
import { t } from "../../locale/rooms/reports";
import { Chip, Toolbar } from "../../widgets/bar";
import { ErrorBoundary } from "../../widgets/boundary";
import { Button } from "../../widgets/button";
import { TopLine } from "../../widgets/slot";
import { Compliance } from "./compliance";
import { Exports } from "./exports";
import { Figures } from "./kpi";
import { Shift } from "./shift";
import { SPANS, type SpanName, useSpan } from "./span";

const VIEWS = ["kpi", "shift", "compliance", "exports"] as const;

export default function Room() {
  const item = useItem();
  const go = useGo();
  const [query, change] = useQueryState();
  const me = useMe();
  const views = VIEWS.filter((name) => name !== "compliance" || me?.permissions.includes("audit"));
  const view = views.find((name) => name === item) ?? "kpi";
  const [span, again] = useSpan(query, view === "shift" ? "24h" : view === "compliance" ? "90d" : "30d");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [own, setOwn] = useState(false);
  const good = Date.parse(from) < Date.parse(to);
  return (
    <>
      <TopLine>
        <span className="meta">{t("span.own", { from: day(span.from), to: day(span.to) })}</span>
      </TopLine>
      <Toolbar label={t("title")}>
        {views.map((name) => (
          <Chip
            key={name}
            on={view === name}
            onClick={() => go(name === "kpi" ? "/reports" : `/reports/${name}`, query)}
          >
            {t(`view.${name}`)}
          </Chip>
        ))}
        <span className="grow" />
        {(Object.keys(SPANS) as SpanName[]).map((name) => (
          <Chip
            key={name}
            on={span.name === name}
            onClick={() => {
              again();
              change({ span: name, from: undefined, to: undefined });
            }}
          >
            {t(`span.${name}`)}
          </Chip>
        ))}
        <Chip on={span.name === "own" || own} onClick={() => setOwn(!own)}>
          {t("span.from")}…
        </Chip>
        {own ? (
          <form
            className="row wrap"
            onSubmit={(event) => {
              event.preventDefault();
              if (good)
                change({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), span: undefined }, true);
            }}
          >
            <input
              className="input"
              type="datetime-local"
              aria-label={t("span.from")}
              value={from}
              onChange={(event) => setFrom(event.target.value)}
            />
            <span>{t("span.to")}</span>
            <input
              className="input"
              type="datetime-local"
              aria-label={t("span.to")}
              value={to}
              onChange={(event) => setTo(event.target.value)}
            />
            <Button type="submit" disabled={!good}>
              {t("span.show")}
            </Button>
          </form>
        ) : null}
      </Toolbar>
      {/* It scrolls, so keys must reach it. */}
      <div className="reports-body" data-keys="detail" tabIndex={0}>
        <ErrorBoundary key={view}>
          {view === "kpi" ? (
            <Figures span={span} />
          ) : view === "shift" ? (
            <Shift span={span} />
          ) : view === "compliance" ? (
            <Compliance span={span} query={query} change={change} />
          ) : (
            <Exports span={span} />
          )}
        </ErrorBoundary>
      </div>
    </>
  );
}
