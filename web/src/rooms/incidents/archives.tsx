/** Sealed archives of an incident: collect, verify, take; who did so; and the legal hold that keeps it all. */
import { useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useList, useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import { type Archive, type CustodyStep, type EvidenceReport, type LegalHold, saveAs } from "../../api/work";
import { bytes } from "../../lib/i18n";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { Ask } from "../../widgets/ask";
import { Button } from "../../widgets/button";
import { CopyButton } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { Safe } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { State } from "../../widgets/state";
import { done, failed, note } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const at = (archive: Archive): string => `/evidence/${part(archive.id)}`;

/** What the last verification of an archive found, as long as the page is open. */
interface Checked {
  archive: Archive;
  report: EvidenceReport;
}

/** More faults than this say no more. */
const FAULTS = 20;

/** So much of a manifest's hash tells archives apart; the button copies all of it. */
const MANIFEST = 16;

export function Archives({ row, path }: { row: Incident; path: string }) {
  const may = useMay("evidence");
  const all = useList<Archive>("/evidence", { incident: row.short }, { every: 5_000 });
  const chain = useOne<{ items: CustodyStep[] }>(`${path}/custody`);
  const steps = chain.data?.items ?? [];
  const [checked, setChecked] = useState<Checked | null>(null);
  const [open, setOpen] = useState(false);
  const [taking, setTaking] = useState<Archive | null>(null);
  const [busy, setBusy] = useState("");
  const news = () => refresh("/evidence", `${path}/custody`);
  const verify = async (archive: Archive) => {
    setBusy(archive.id);
    try {
      const report = await call<EvidenceReport>("POST", `${at(archive)}/verify`, { body: {} });
      const short = safe(archive.short);
      setChecked({ archive, report });
      if (report.sound) done(t("archive.verify.sound", { short }));
      else note(t("archive.verify.bad", { short }));
    } catch (error) {
      failed(t("archive.fail"), error);
    } finally {
      setBusy("");
      news();
    }
  };
  return (
    <>
      <Held row={row} may={may} path={path} />
      <Section title={t("archive.title")}>
        {all.loading ? (
          <Loading rows={2} />
        ) : all.error ? (
          <ErrorView error={all.error} onRetry={all.again} />
        ) : all.rows.length === 0 ? (
          <p className="muted">{t("archive.none")}</p>
        ) : (
          <Table
            label={t("archive.title")}
            heads={[
              { id: "id", label: t("archive.id") },
              { id: "state", label: t("evidence.state") },
              { id: "hash", label: t("archive.manifest") },
              { id: "size", label: t("archive.size"), end: true },
              { id: "made", label: t("archive.made"), wide: true },
              { id: "checked", label: t("archive.checked") },
              { id: "acts", label: t("archive.acts") },
            ]}
          >
            {all.rows.map((one) => (
              <tr key={one.id}>
                <td className="mono">
                  <Safe text={one.short} block />
                </td>
                <td>
                  <State name={one.state} />
                  {one.error ? <Safe text={one.error} block className="incidents-words" /> : null}
                </td>
                <td>
                  {one.manifest ? (
                    <span className="incident-hash">
                      <Safe text={one.manifest.slice(0, MANIFEST)} />
                      <CopyButton text={one.manifest} what={t("evidence.manifest")} />
                    </span>
                  ) : null}
                </td>
                <td className="end work-nowrap">{bytes(one.size)}</td>
                <td>
                  <When at={one.at} /> <Safe text={one.by} className="muted incidents-words" />
                  <div>
                    <Safe text={one.reason ?? ""} block className="incidents-words" />
                  </div>
                </td>
                <td>
                  <LastCheck step={steps.findLast((step) => step.act === "verified" && step.bundle === one.manifest)} />
                </td>
                <td className="work-nowrap">
                  <Button
                    kind="quiet"
                    disabled={!may || one.state !== "ready" || busy !== ""}
                    onClick={() => void verify(one)}
                  >
                    {t("archive.verify")}
                  </Button>
                  <Button kind="quiet" disabled={!may || one.state !== "ready"} onClick={() => setTaking(one)}>
                    {t("archive.download")}
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
        )}
        <Button disabled={!may} onClick={() => setOpen(true)}>
          {t("archive.collect")}
        </Button>
        {checked ? <Findings {...checked} /> : null}
      </Section>
      {chain.isPending ? (
        <Loading rows={2} />
      ) : chain.error ? (
        <ErrorView error={chain.error} onRetry={() => void chain.refetch()} />
      ) : (
        <Chain steps={steps} archives={all.rows} />
      )}
      {open ? (
        <Ask
          open
          onClose={() => setOpen(false)}
          title={t("archive.collect")}
          label={t("archive.reason")}
          verb={t("archive.collect")}
          run={async (reason) => {
            const made = await call<Archive>("POST", `${path}/evidence`, {
              body: { reason: reason || undefined, wait_ms: 8_000 },
            });
            const short = safe(made.short);
            done(t(made.state === "ready" ? "archive.collect.done" : "archive.collect.begun", { short }));
            news();
          }}
        >
          <p>{t("archive.collect.text")}</p>
        </Ask>
      ) : null}
      {taking ? (
        <Ask
          open
          required
          onClose={() => setTaking(null)}
          title={t("archive.download")}
          label={t("archive.reason")}
          verb={t("archive.download")}
          run={async (reason) => {
            const name = `${taking.incident}-${taking.short}`.replace(/[^\w-]/g, "");
            await saveAs(`${name}.zip`, `${at(taking)}/content`, { reason });
            done(t("archive.download.done", { short: safe(taking.short) }));
            news();
          }}
        >
          <p>{t("archive.download.text")}</p>
        </Ask>
      ) : null}
    </>
  );
}

/** Who verified an archive last, and what that found. */
function LastCheck({ step }: { step: CustodyStep | undefined }) {
  if (!step) return <span className="muted">{t("archive.checked.none")}</span>;
  return (
    <>
      <When at={step.at} /> <Safe text={step.by} className="muted incidents-words" />
      <div>
        <Safe text={step.detail ?? ""} block className="incidents-words" />
      </div>
    </>
  );
}

/** What a verification found, in full. */
function Findings({ archive, report }: Checked) {
  const short = safe(archive.short);
  const rest = report.faults.length - FAULTS;
  return (
    <div role="status">
      <p>
        <b>{t(report.sound ? "archive.verify.sound" : "archive.verify.bad", { short })}</b>{" "}
        <span className="muted">
          {t("archive.verify.of", { n: report.objects, entry: report.audit, size: bytes(report.size) })}
        </span>
      </p>
      <ul>
        {report.faults.slice(0, FAULTS).map((fault) => (
          <li key={`${fault.object} ${fault.line} ${fault.field} ${fault.why}`}>
            <Safe
              text={[fault.object, fault.line ? t("archive.line", { n: fault.line }) : "", fault.field, fault.why]
                .filter(Boolean)
                .join(", ")}
              block
              className="incidents-words"
            />
          </li>
        ))}
        {rest > 0 ? <li className="muted">{t("archive.faults.more", { n: rest })}</li> : null}
        {report.notes.map((text) => (
          <li key={text}>
            <Safe text={text} block className="muted incidents-words" />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Who did what with the evidence, when and why. */
function Chain({ steps, archives }: { steps: readonly CustodyStep[]; archives: readonly Archive[] }) {
  const audits = useMay("audit");
  const names = new Map(archives.map((one) => [one.manifest, one.short]));
  return (
    <Section title={t("archive.custody")}>
      {steps.length === 0 ? (
        <p className="muted">{t("archive.custody.none")}</p>
      ) : (
        <Table
          label={t("archive.custody")}
          heads={[
            { id: "n", label: t("archive.step"), end: true },
            { id: "at", label: t("archive.at") },
            { id: "act", label: t("archive.act") },
            { id: "of", label: t("archive.id") },
            { id: "who", label: t("archive.who") },
            { id: "why", label: t("archive.why"), wide: true },
            { id: "entry", label: t("archive.entry"), end: true },
          ]}
        >
          {steps.map((step) => (
            <tr key={step.n}>
              <td className="end">{step.n}</td>
              <td className="work-nowrap">
                <When at={step.at} />
              </td>
              <td>
                <State name={step.act} />
              </td>
              <td className="mono">
                <Safe text={names.get(step.bundle ?? "") ?? ""} block />
              </td>
              <td>
                <Safe text={step.by} block className="incidents-words" />
              </td>
              <td>
                <Safe text={[step.reason, step.detail].filter(Boolean).join("; ")} block className="incidents-words" />
              </td>
              <td className="end mono">
                {step.audit < 0 ? null : audits ? <Go path={`/audit/${step.audit}`}>{step.audit}</Go> : step.audit}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

/** Whether a hold keeps nothing any more. */
const ended = (hold: LegalHold): boolean =>
  Boolean(hold.released) || (hold.until !== undefined && Date.parse(hold.until) <= Date.now());

/** The legal hold of the incident, with what places and releases it. */
function Held({ row, may, path }: { row: Incident; may: boolean; path: string }) {
  const holds = useList<LegalHold>("/holds", { object: `incident:${row.short}` });
  const over = holds.rows.filter(ended);
  const placed = holds.rows.filter((hold) => !ended(hold));
  const [placing, setPlacing] = useState(false);
  const [ending, setEnding] = useState<LegalHold | null>(null);
  const news = () => refresh("/holds", `${path}/custody`);
  return (
    <Section title={t("legal.title")}>
      {holds.error ? <ErrorView error={holds.error} onRetry={holds.again} /> : null}
      {placed.length === 0 ? <p className="muted">{t("legal.none")}</p> : null}
      {placed.map((hold) => (
        <p key={hold.id}>
          <b>{t("legal.on", { short: safe(hold.short) })}</b> <Safe text={hold.reason} className="incidents-words" />{" "}
          <Safe text={hold.by} className="muted incidents-words" /> <When at={hold.at} />{" "}
          {hold.until ? (
            <span className="muted">
              {t("legal.until")} <When at={hold.until} exact />{" "}
            </span>
          ) : null}
          <Button kind="quiet" disabled={!may} onClick={() => setEnding(hold)}>
            {t("legal.release")}
          </Button>
        </p>
      ))}
      {over.map((hold) => (
        <p key={hold.id} className="muted">
          {hold.released
            ? t("legal.over", { short: safe(hold.short), by: safe(hold.released_by ?? "") })
            : t("legal.ended", { short: safe(hold.short) })}{" "}
          <When at={hold.released ?? hold.until ?? hold.at} />{" "}
          <Safe text={hold.release_why ?? ""} className="incidents-words" />
        </p>
      ))}
      <Button disabled={!may} onClick={() => setPlacing(true)}>
        {t("legal.place")}
      </Button>
      {placing ? (
        <Ask
          open
          required
          onClose={() => setPlacing(false)}
          title={t("legal.place")}
          label={t("archive.reason")}
          verb={t("legal.place")}
          run={async (reason) => {
            const made = await call<LegalHold>("POST", "/holds", {
              body: { object: `incident:${row.short}`, reason },
            });
            done(t("legal.place.done", { short: safe(made.short) }));
            news();
          }}
        >
          <p>{t("legal.place.text")}</p>
        </Ask>
      ) : null}
      {ending ? (
        <Ask
          open
          required
          danger
          onClose={() => setEnding(null)}
          title={t("legal.release.title", { short: safe(ending.short) })}
          label={t("archive.reason")}
          verb={t("legal.release")}
          run={async (reason) => {
            await call<LegalHold>("POST", `/holds/${part(ending.id)}/release`, { body: { reason } });
            done(t("legal.release.done", { short: safe(ending.short) }));
            news();
          }}
        >
          <p>{t("legal.release.text")}</p>
        </Ask>
      ) : null}
    </Section>
  );
}
