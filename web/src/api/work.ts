/** Acts several rooms offer: to decide about a step that waits, to save a document under a name of ours. */
import { call, download, keyFor } from "./client";
import { refresh } from "./query";
import type { components } from "./schema";

type S = components["schemas"];
export type Approval = S["Approval"];
export type Plan = S["Plan"];
export type RunDetail = S["RunDetail"];
export type RunStep = S["RunStep"];
export type Task = S["Task"];
export type TimelineEntry = S["TimelineEntry"];
export type IncidentChange = S["IncidentChange"];
export type Links = S["Links"];
export type Archive = S["Bundle"];
export type CustodyStep = S["CustodyStep"];
export type EvidenceReport = S["EvidenceReport"];
export type LegalHold = S["Hold"];
export type AllowRow = S["AllowRow"];
export type BlockDetail = S["BlockDetail"];
export type Bouncer = S["Bouncer"];
export type Channel = S["Channel"];
export type DeadLetter = S["DeadLetter"];
export type EnricherStatus = S["Status"];
export type Exposure = S["Exposure"];
export type HaltState = S["HaltState"];
export type Notice = S["Notice"];
export type PlaybookText = S["PlaybookText"];
export type SavedView = S["SavedView"];
export type TrialResult = S["TrialResult"];

/** Approves or denies the step a run waits at; 409 says who was first. */
export async function decide(run: string, step: number, approve: boolean, note: string): Promise<RunDetail> {
  try {
    return await call<RunDetail>("POST", `/runs/${encodeURIComponent(run)}/decide`, {
      body: { step, approve, note: note || undefined },
      key: keyFor(),
    });
  } finally {
    refresh("/runs", "/approvals", "/incidents", "/blocks", "/overview");
  }
}

/** Saves what a route answers as a file; the name is ours, not the server's. */
export async function saveAs(
  name: string,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<void> {
  const response = await download(path, query);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
