/** What the server says of one attacker; GET /attackers/{id}/profile. */
import type { Attacker, Endpoint } from "../../api/types";

export interface SeenText {
  text: string;
  n: number;
  first_at: string;
  last_at: string;
}

export interface Profile extends Omit<Attacker, "src"> {
  src?: Endpoint;
  address?: string;
  since: string;
  events: number;
  cut?: boolean;
  activity: { at: string; events: number }[];
  credentials: { user: string; password?: string; key?: string; n: number; worked: boolean; last_at: string }[];
  commands: SeenText[];
  tools: SeenText[];
  urls: SeenText[];
  clients: (SeenText & { kind: string })[];
  files: { sha256: string; path?: string; type?: string; size: number; n: number; last_at: string }[];
  path: { tactic: string; name: string; at: string; alerts: number; techniques: string[] }[];
  rules: { id: string; title: string; n: number; severity: string }[];
  sessions: number;
  blocks: {
    id: string;
    state: string;
    mode: string;
    by?: string;
    reason: string;
    created_at: string;
    expires_at?: string;
    ended_at?: string;
  }[];
  looks_the_same: { address: string; score: number; reasons: string[]; country?: string; alerts: boolean }[];
  looks_the_same_cut?: boolean;
  notes: { id: string; at: string; by: string; text: string }[];
}
