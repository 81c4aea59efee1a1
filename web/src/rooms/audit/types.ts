/** What the API says about the audit log. */
export interface Entry {
  seq: number;
  time: string;
  actor: string;
  kind: string;
  session?: string;
  address?: string;
  action: string;
  object?: string;
  outcome: string;
  reason?: string;
  detail?: string;
  request?: string;
  before?: unknown;
  after?: unknown;
  /** Number of the entry by which actor, address, object and the rest were removed on request. */
  erased_by?: number;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: string;
  note: string;
  public_key: string;
  line: string;
  refused?: string;
  witnesses?: Witnessed[];
}

/** Who keeps checkpoints elsewhere, and how that stands. */
export interface Witnessed {
  name: string;
  size: number;
  kept?: string;
  tried?: string;
  error?: string;
}

export interface CheckReport {
  size: number;
  checked: number;
  dropped: number;
  witnessed: number;
  faults: string[];
  caches: string[];
  altered: number;
  erased: number;
  pending: string[];
}

export interface Check {
  state: "none" | "running" | "sound" | "damaged" | "failed";
  done: number;
  of: number;
  began?: string;
  ended?: string;
  report?: CheckReport;
  error?: string;
}
