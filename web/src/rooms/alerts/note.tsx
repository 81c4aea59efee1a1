/** Acknowledging with words. */
import { useRef, useState } from "react";
import { keymap } from "../../lib/keys";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/alerts";
import { Button } from "../../widgets/button";
import { Dialog } from "../../widgets/dialog";
import { TextArea } from "../../widgets/field";

export default function NoteDialog({ onClose, onSend }: { onClose: () => void; onSend: (note: string) => void }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const send = () => {
    onClose();
    onSend(text.trim());
  };
  return (
    <Dialog
      open
      size="small"
      title={t("note.title")}
      onClose={onClose}
      first={field}
      foot={
        <>
          <Button onClick={onClose}>{shell("cancel")}</Button>
          <Button kind="primary" keys="Ctrl ⏎" onClick={send}>
            {t("act.ack")}
          </Button>
        </>
      }
    >
      <TextArea
        ref={field}
        label={t("note.label")}
        hint={t("note.hint")}
        maxLength={4000}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onFocus={() => setText((before) => before + keymap.takeEarly())}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
        }}
      />
    </Dialog>
  );
}
