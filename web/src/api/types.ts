/** The things the API speaks of, by the names people use. */
import type { components } from "./schema";

type S = components["schemas"];
export type Assessment = S["Assessment"];
export type Attacker = S["Attacker"];
export type Block = S["Block"];
export type BlockRow = S["BlockRow"];
export type ComplianceLine = S["ComplianceLine"];
export type Endpoint = S["Endpoint"];
export type Event = S["Event"];
export type Honeytoken = S["Honeytoken"];
export type Incident = S["Incident"];
export type Judgement = S["Judgement"];
export type Playbook = S["Playbook"];
export type Run = S["Run"];
export type Sample = S["Sample"];
export type Sensor = S["Sensor"];
export type Session = S["Session"];
export type Source = S["Source"];
export type Suppression = S["Suppression"];
export type SuppressionPreview = S["SuppressionPreview"];
export type Technique = S["Technique"];
export type KPI = S["KPI"];
export type Verdict = S["Verdict"];

/** Who handled an alert, when and why. */
export interface Handled {
  by: string;
  at: string;
  note?: string;
}
export type Alert = S["Alert"] & { handled?: Handled };
export type AlertStatus = "new" | "acknowledged" | "escalated" | "suppressed" | "closed";
export type SeverityName = "informational" | "low" | "medium" | "high" | "critical";
export type VerdictName = "true_positive" | "false_positive" | "benign" | "duplicate" | "none";

/** One page of a list: next is the cursor of the page after, empty at the end. */
export interface Page<T> {
  items: T[];
  next: string;
  total?: number;
}

/** Who is signed in. */
export interface Me {
  id: string;
  name: string;
  display?: string;
  role: string;
  permissions: string[];
  kind: "user" | "key" | "local";
  second_factor?: boolean;
  enrol?: boolean;
  session?: { id: string; since: string; idle_until: string; until: string };
  must_change_password?: boolean;
}

/** Ways to sign in. */
export interface Methods {
  first_run: boolean;
  password: boolean;
  passkey: boolean;
  oidc: { id: string; label: string }[];
  banner?: string;
}

/** Where a sign-in stands. */
export interface LoginState {
  state: "in" | "second" | "enrol";
  methods?: ("totp" | "passkey" | "recovery")[];
  user?: string;
  /** Wrong tries since the sign-in before. */
  failed?: number;
}
