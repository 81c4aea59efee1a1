/** What a session left behind: files, how it was typed, honeytokens it read. */
import type { ReactNode } from "react";
import { bytes } from "../../lib/i18n";
import { t } from "../../locale/rooms/sessions";
import { CopyButton } from "../../widgets/copy";
import { Go } from "../../widgets/go";
import { clock } from "../../widgets/replay/markers";
import { Safe } from "../../widgets/safe";
import type { useSession } from "./load";

type All = ReturnType<typeof useSession>;

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <h3>{name}</h3>
      <div className="fact-body">{children}</div>
    </div>
  );
}

export function Facts({ all }: { all: All }) {
  return (
    <div className="facts">
      <Files all={all} />
      <TypingFact all={all} />
      <Tokens all={all} />
    </div>
  );
}

function Files({ all }: { all: All }) {
  const ids = all.session.data?.samples ?? [];
  const known = new Map((all.samples.data?.items ?? []).map((sample) => [sample.id, sample]));
  return (
    <Fact name={`${t("facts.files")} ${ids.length || ""}`}>
      {ids.length === 0 ? (
        <span className="muted">{t("facts.files.none")}</span>
      ) : (
        <ul>
          {ids.map((id) => {
            const sample = known.get(id);
            return (
              <li key={id} className="fact-file">
                <div className="row">
                  <Safe text={sample?.paths?.[0]?.split("/").at(-1) ?? id.slice(0, 12)} />
                  <span className="grow" />
                  <span className="mono muted">{id.slice(0, 12)}…</span>
                  <CopyButton text={id} what="SHA-256" />
                </div>
                <div className="meta cut">
                  {sample ? `${bytes(sample.size)}, ` : ""}
                  <Safe text={sample?.type ?? t("file.unknown")} />
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Fact>
  );
}

function TypingFact({ all }: { all: All }) {
  const typing = all.typing.data;
  if (!all.recorded) return null;
  if (!typing || typing.keys === 0) {
    return (
      <Fact name={t("facts.typing")}>
        <span className="muted">{t("facts.typing.none")}</span>
      </Fact>
    );
  }
  const word = typing.verdict === "bot" ? "typing.bot" : typing.verdict === "human" ? "typing.human" : "typing.unknown";
  const parts = [
    t("typing.keys", { n: typing.keys }),
    t("typing.reads", { n: typing.reads }),
    ...(typing.median_gap_ms > 0 ? [t("typing.median", { ms: `${Math.round(typing.median_gap_ms)} ms` })] : []),
    ...(typing.edits > 0 ? [t("typing.edits", { n: typing.edits })] : []),
    ...(typing.pastes > 0 ? [t("typing.pastes", { n: typing.pastes })] : []),
  ];
  return (
    <Fact name={t("facts.typing")}>
      <b title={typing.reason}>{t(word)}</b> <span className="muted">{parts.join(", ")}</span>
    </Fact>
  );
}

function Tokens({ all }: { all: All }) {
  const ids = all.session.data?.tokens ?? [];
  const known = new Map((all.tokens.data?.items ?? []).map((token) => [token.id, token]));
  const shown = new Map(all.marks.filter((mark) => mark.kind === "token" && mark.id).map((mark) => [mark.id, mark.at]));
  return (
    <Fact name={`${t("facts.tokens")} ${ids.length || ""}`}>
      {ids.length === 0 ? (
        <span className="muted">{t("facts.tokens.none")}</span>
      ) : (
        <ul>
          {ids.map((id) => {
            const token = known.get(id);
            const at = shown.get(id);
            return (
              <li key={id} className="fact-file">
                <div className="row">
                  <Go path={`/tokens/${encodeURIComponent(token?.short ?? id)}`} className="mono">
                    {token?.short ?? id.slice(0, 8)}
                  </Go>
                  <span>{token?.kind.replace(/_/g, " ")}</span>
                  <span className="grow" />
                  <span className="meta">
                    {at === undefined ? "" : t("token.shown", { at: clock(at) })}
                    {token && token.uses > 0 ? `, ${t("token.used")}` : ""}
                  </span>
                </div>
                <Safe text={token?.path ?? ""} className="muted" />
              </li>
            );
          })}
        </ul>
      )}
    </Fact>
  );
}
