/** The phases of an incident in their order; a click moves it. */
import type { Incident } from "../../api/types";
import { cx } from "../../lib/cx";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/incidents";
import { Kbd } from "../../widgets/kbd";
import { PHASES, type Phase, phaseWord } from "./acts";

export function PhaseBar({ row, may, onMove }: { row: Incident; may: boolean; onMove: (phase: Phase) => void }) {
  const at = PHASES.indexOf(row.phase as Phase);
  const held = row.status === "on_hold";
  return (
    <div className="incident-phases-box">
      <ol className="incident-phases" aria-label={t("phase.label")}>
        {PHASES.map((phase, index) => (
          <li key={phase}>
            <button
              type="button"
              className={cx(
                "incident-phase",
                index < at && "incident-phase-past",
                index === at && "incident-phase-now",
              )}
              aria-current={index === at ? "step" : undefined}
              disabled={!may || held || index === at}
              title={t(`phase.${phase}.long`)}
              aria-label={index === at ? t(`phase.${phase}.long`) : t("phase.move", { phase: phaseWord(phase) })}
              onClick={() => onMove(phase)}
            >
              {phaseWord(phase)}
              {index === at + 1 && may && !held ? <Kbd keys="n" /> : null}
            </button>
          </li>
        ))}
      </ol>
      {held ? <p className="work-state-warn">{t("phase.held", { time: absolute(row.clock.held_since) })}</p> : null}
    </div>
  );
}
