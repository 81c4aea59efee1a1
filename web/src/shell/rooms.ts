/**
 * The table of rooms: one line each. A room is loaded when somebody goes there.
 * optional path parts: every room has /name and /name/ITEM.
 */
import type { ComponentType } from "react";

export interface RoomModule {
  default: ComponentType;
}

export interface RoomEntry {
  name: RoomName;
  path: string;
  /** `g` and this letter go there. */
  go?: string;
  /** Permission without which it is not offered. */
  needs?: string;
  load: () => Promise<RoomModule>;
}

export type RoomName =
  | "overview"
  | "alerts"
  | "sessions"
  | "attackers"
  | "attack"
  | "map"
  | "incidents"
  | "response"
  | "tokens"
  | "health"
  | "rules"
  | "hunt"
  | "audit"
  | "reports"
  | "settings";

export const ROOMS: readonly RoomEntry[] = [
  { name: "overview", path: "/", go: "o", load: () => import("../rooms/overview") },
  { name: "alerts", path: "/alerts", go: "a", load: () => import("../rooms/alerts") },
  { name: "incidents", path: "/incidents", go: "i", load: () => import("../rooms/incidents") },
  { name: "sessions", path: "/sessions", go: "s", load: () => import("../rooms/sessions") },
  { name: "attackers", path: "/attackers", go: "p", load: () => import("../rooms/attackers") },
  { name: "tokens", path: "/tokens", go: "h", load: () => import("../rooms/tokens") },
  { name: "response", path: "/response", go: "r", load: () => import("../rooms/response") },
  { name: "attack", path: "/attack", go: "t", load: () => import("../rooms/attack") },
  { name: "map", path: "/map", go: "m", load: () => import("../rooms/map") },
  { name: "hunt", path: "/hunt", go: "/", load: () => import("../rooms/hunt") },
  { name: "rules", path: "/rules", go: "u", load: () => import("../rooms/rules") },
  { name: "health", path: "/sensors", go: "e", load: () => import("../rooms/health") },
  { name: "reports", path: "/reports", go: "k", load: () => import("../rooms/reports") },
  { name: "audit", path: "/audit", go: "l", needs: "audit", load: () => import("../rooms/audit") },
  { name: "settings", path: "/settings", go: ",", load: () => import("../rooms/settings") },
];
