/** Response: what waits for people, what playbooks did and do, who is blocked and who never is. */
import "./response.css";
import { lazy, type ReactNode, Suspense } from "react";
import { useFreshness } from "../../api/live";
import { useOne } from "../../api/query";
import type { Page } from "../../api/types";
import type { Approval } from "../../api/work";
import { useGo, useItem, useQueryState } from "../../lib/route";
import { t } from "../../locale/rooms/response";
import { ErrorBoundary } from "../../widgets/boundary";
import { Tabs } from "../../widgets/tabs";
import { Loading } from "../../widgets/views";
import { Approvals } from "./approvals";
import { Halt } from "./halt";
import { Runs } from "./runs";

const RunSheet = lazy(() => import("./run"));
const Blocks = lazy(() => import("./blocks"));
const Allow = lazy(() => import("./allow"));
const Books = lazy(() => import("./books"));
const Bouncers = lazy(() => import("./bouncers"));

const VIEWS = ["approvals", "runs", "blocks", "allow", "books", "bouncers"] as const;
type View = (typeof VIEWS)[number];

export default function Room() {
  const item = useItem();
  const [query] = useQueryState();
  const go = useGo();
  useFreshness(["runs"], ["/runs", "/approvals", "/blocks", "/halt"], 1500);
  const waiting = useOne<Page<Approval>>("/approvals", { all: true }, 30_000);
  const mine = waiting.data?.items.filter((row) => row.may).length;
  const view: View = VIEWS.includes(query.view as View)
    ? (query.view as View)
    : query.incident || query.playbook
      ? "runs"
      : "approvals";
  const body: Record<View, ReactNode> = {
    approvals: <Approvals />,
    runs: <Runs hidden={item !== undefined} />,
    blocks: <Blocks />,
    allow: <Allow />,
    books: <Books />,
    bouncers: <Bouncers />,
  };
  return (
    <div className="response">
      <Halt />
      {item === undefined ? null : (
        <ErrorBoundary>
          <Suspense fallback={<Loading />}>
            <RunSheet key={item} item={item} />
          </Suspense>
        </ErrorBoundary>
      )}
      <div className="response-views" hidden={item !== undefined}>
        <Tabs
          label={t("views")}
          value={view}
          onChange={(next) => go("/response", { view: next })}
          tabs={VIEWS.map((id) => ({
            id,
            label: t(`view.${id}`),
            count: id === "approvals" ? mine : undefined,
            body:
              id === view ? (
                <ErrorBoundary key={id}>
                  <Suspense fallback={<Loading />}>{body[id]}</Suspense>
                </ErrorBoundary>
              ) : null,
          }))}
        />
      </div>
    </div>
  );
}
