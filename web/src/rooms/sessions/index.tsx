/** Sessions: what each peer did on one connection, as a list and as a recording. */
import { useItem } from "../../lib/route";
import { SessionDetail } from "./detail";
import { SessionList } from "./list";
import "./sessions.css";

export default function Room() {
  const item = useItem();
  return (
    <div className="sessions">
      <div className="sessions-list" hidden={item !== undefined}>
        <SessionList shown={item === undefined} />
      </div>
      {item === undefined ? null : <SessionDetail key={item} id={item} />}
    </div>
  );
}
