/** Routes, made from the table of rooms. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { parseQuery, writeQuery } from "../lib/route";
import { ErrorBoundary } from "../widgets/boundary";
import { ErrorView, Loading } from "../widgets/views";
import { Frame } from "./frame";
import { Missing } from "./missing";
import { ROOMS } from "./rooms";

const root = createRootRoute({ component: Frame, notFoundComponent: Missing });

const rooms = ROOMS.map((room) =>
  createRoute({
    getParentRoute: () => root,
    // One route for the list and the open item, so that opening keeps the list as it is.
    path: room.path === "/" ? "/" : (`${room.path}/{-$item}` as string),
    component: lazyRouteComponent(room.load, "default"),
    pendingComponent: () => <Loading />,
    errorComponent: ({ error, reset }) => <ErrorView error={error} onRetry={reset} />,
    validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
    wrapInSuspense: true,
  }),
);
const login = createRoute({
  getParentRoute: () => root,
  path: "/login/{-$item}",
  component: lazyRouteComponent(() => import("../rooms/login"), "default"),
  validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
});

const link = createRoute({
  getParentRoute: () => root,
  path: "/first-run",
  component: lazyRouteComponent(() => import("../rooms/login"), "default"),
  validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
});

export const router = createRouter({
  routeTree: root.addChildren([...rooms, login, link]),
  parseSearch: parseQuery,
  stringifySearch: writeQuery,
  defaultPreload: "intent",
  defaultPendingMs: 200,
  scrollRestoration: false,
});

export { ErrorBoundary };
