/** What the first screen is told; GET /overview. */

export interface Figure {
  name: string;
  unit: "ms" | "share" | "count";
  target: number;
  better: "below" | "above" | "at_most";
  n: number;
  hits?: number;
  value?: number;
  p50?: number;
  p95?: number;
  low?: number;
  high?: number;
  result: "met" | "missed" | "no data";
  /** Of the false positive rate: alerts nobody has judged. */
  open?: number;
  trend: { at: string; n: number; value?: number }[];
  about: string;
}

export interface Ranked {
  n: number;
  severity: string;
}

export interface Presence {
  ok: number;
  late: number;
  list: { name: string; kind: string; state: string; detail?: string; last_at?: string }[];
}

export interface Overview {
  span: string;
  since: string;
  until: string;
  figures: Figure[];
  queue: {
    open: number;
    by_severity: Record<string, number>;
    by_status: Record<string, number>;
    incidents: { waiting: number; at_risk: number; missed: number };
  };
  series: {
    step_s: number;
    points: { at: string; events: number; alerts: number; alerts_by_severity: Record<string, number> }[];
  };
  top_sources: (Ranked & { address: string; attacker?: string; country?: string; as_org?: string })[];
  top_rules: (Ranked & { id: string; title: string })[];
  sensors: Presence;
  sources: Presence;
  needs: {
    approvals: number;
    first_approvals: {
      run: string;
      short: string;
      playbook: string;
      title: string;
      name: string;
      action: string;
      reason: string;
    }[];
    due: {
      id: string;
      short: string;
      title: string;
      severity: string;
      owner?: string;
      due_at: string;
      missed: boolean;
    }[];
  };
  last_alert_at?: string;
  last_alert?: string;
  last_event_at?: string;
  events_per_minute: number;
}

/** GET /map. */
export interface WorldMap {
  countries: {
    country: string;
    events: number;
    alerts: number;
    sessions: number;
    /** The highest of its events. */
    severity: string;
    alerts_by_severity: Record<string, number>;
  }[];
  credit: string[];
}
