/** Health: whether the decoys, the sources, the enrichers, the messages, the firewall and the disk do their work. */
import "./health.css";
import type { ReactNode } from "react";
import { useFreshness } from "../../api/live";
import { useOne } from "../../api/query";
import type { Page, Sensor, Source } from "../../api/types";
import type { DeadLetter, Notice } from "../../api/work";
import { useGo, useItem, useQueryState } from "../../lib/route";
import { t } from "../../locale/rooms/health";
import { ErrorBoundary } from "../../widgets/boundary";
import { Tabs } from "../../widgets/tabs";
import { Dead } from "./dead";
import { Enrichers } from "./enrichers";
import { Node } from "./node";
import { Channels, Notices } from "./notices";
import { Sensors } from "./sensors";
import { Sources } from "./sources";

const VIEWS = ["sensors", "sources", "dead", "enrichers", "notices", "channels"] as const;
type View = (typeof VIEWS)[number];

export default function Room() {
  const item = useItem();
  const [query] = useQueryState();
  const go = useGo();
  useFreshness(["health", "notices"], ["/sensors", "/sources", "/standing", "/notices"], 5000);
  const sensors = useOne<Page<Sensor>>("/sensors");
  const sources = useOne<Page<Source>>("/sources");
  const letters = useOne<Page<DeadLetter>>("/dead-letters", { limit: 100 });
  const dead = useOne<Page<Notice>>("/notices", { state: "dead", limit: 100 });
  const asked = query.view ?? item;
  const view: View = VIEWS.includes(asked as View) ? (asked as View) : "sensors";
  const count: Partial<Record<View, number>> = {
    sensors: sensors.data?.items.length,
    sources: sources.data?.items.length,
    dead: letters.data?.items.length || undefined,
    notices: dead.data?.items.length || undefined,
  };
  const body: Record<View, ReactNode> = {
    sensors: <Sensors />,
    sources: <Sources />,
    dead: <Dead />,
    enrichers: <Enrichers />,
    notices: <Notices />,
    channels: <Channels />,
  };
  return (
    <div className="health" data-keys="detail">
      <Node />
      <Tabs
        label={t("views")}
        value={view}
        onChange={(next) => go("/sensors", { view: next })}
        tabs={VIEWS.map((id) => ({
          id,
          label: t(`view.${id}`),
          count: count[id],
          body: id === view ? <ErrorBoundary key={id}>{body[id]}</ErrorBoundary> : null,
        }))}
      />
    </div>
  );
}
