/** What asks before an incident is held, given away, judged or closed. */
import { useState } from "react";
import type { Incident } from "../../api/types";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { word } from "../../locale/words";
import { Ask } from "../../widgets/ask";
import { Check, Input, Select } from "../../widgets/field";
import { done } from "../../widgets/toast";
import { type Change, type Phase, phaseWord } from "./acts";

const VERDICTS = ["true_positive", "false_positive", "benign", "duplicate"];

export default function Dialogs({
  open,
  row,
  me,
  verdict,
  target,
  change,
  onClose,
}: {
  open: "hold" | "give" | "verdict" | "close" | "back";
  row: Incident;
  me: string;
  verdict: string;
  /** The phase it goes back to. */
  target: Phase;
  change: Change;
  onClose: () => void;
}) {
  const short = safe(row.short);
  const judged = row.verdict?.as && row.verdict.as !== "none" ? row.verdict.as : "";
  const [owner, setOwner] = useState(row.owner ?? me);
  const [as, setAs] = useState(open === "close" ? "" : verdict);
  const [overwrite, setOverwrite] = useState(false);
  if (open === "hold") {
    return (
      <Ask
        open
        onClose={onClose}
        title={t("hold.title", { short })}
        label={t("hold.reason")}
        rollback={t("hold.rollback")}
        verb={t("hold.verb")}
        run={async (reason) => {
          await change.change({ hold: true, reason: reason || undefined });
          done(t("done.hold", { n: 1 }));
        }}
      >
        <p>{t("hold.text")}</p>
      </Ask>
    );
  }
  if (open === "back") {
    return (
      <Ask
        open
        required
        onClose={onClose}
        title={t("phase.back.title", { short, phase: phaseWord(target) })}
        label={t("phase.back.why")}
        rollback={t("phase.back.rollback")}
        verb={t("phase.back.verb")}
        run={async (reason) => {
          await change.change({ phase: target, reason });
          done(t("done.phase", { n: 1, phase: phaseWord(target) }));
        }}
      >
        <p>{t("phase.back.text")}</p>
      </Ask>
    );
  }
  if (open === "give") {
    return (
      <Ask
        open
        onClose={onClose}
        title={t("give.title", { short })}
        verb={t("give.verb")}
        run={async (reason) => {
          await change.change({ owner: owner.trim(), reason: reason || undefined });
          done(owner.trim() ? t("done.give", { short, who: safe(owner.trim()) }) : t("done.nobody", { short }));
        }}
      >
        <Input
          label={t("give.label")}
          hint={t("give.hint")}
          value={owner}
          maxLength={128}
          onChange={(event) => setOwner(event.target.value)}
        />
      </Ask>
    );
  }
  if (open === "verdict") {
    return (
      <Ask
        open
        onClose={onClose}
        title={t("verdict.title", { short })}
        rollback={t("verdict.rollback")}
        verb={t("verdict.verb")}
        run={async (reason) => {
          await change.change({ verdict: as, overwrite: overwrite || undefined, reason: reason || undefined });
          done(t("done.verdict", { short, verdict: word(as) }));
        }}
      >
        <Select
          label={t("verdict.is")}
          value={as}
          onChange={(event) => setAs(event.target.value)}
          options={VERDICTS.map((value) => ({ value, label: word(value) }))}
        />
        <p>{t("verdict.text")}</p>
        <Check
          label={t("verdict.overwrite")}
          checked={overwrite}
          onChange={(event) => setOverwrite(event.target.checked)}
        />
      </Ask>
    );
  }
  const undone = (row.tasks ?? []).filter((task) => !task.done_at).length;
  return (
    <Ask
      open
      onClose={onClose}
      title={t("phase.close.title", { short })}
      rollback={t("phase.close.rollback")}
      verb={t("phase.close.verb")}
      off={as === "" && judged === ""}
      run={async (reason) => {
        await change.change({ phase: "closed", verdict: as || undefined, reason: reason || undefined });
        done(t("done.phase", { n: 1, phase: t("phase.closed") }));
      }}
    >
      <p>{t("phase.close.text")}</p>
      {undone > 0 ? <p className="work-soon">{t("phase.close.tasks", { n: undone })}</p> : null}
      <Select
        label={t("phase.close.verdict")}
        value={as}
        onChange={(event) => setAs(event.target.value)}
        options={[
          { value: "", label: judged ? t("phase.close.kept", { verdict: word(judged) }) : t("phase.close.undecided") },
          ...VERDICTS.map((value) => ({ value, label: word(value) })),
        ]}
      />
    </Ask>
  );
}
