/** Incidents: what is worked on, as a list, and all about one of them. */
import "./incidents.css";
import { useItem } from "../../lib/route";
import { Detail } from "./detail";
import { List } from "./list";

export default function Room() {
  const item = useItem();
  return (
    <div className="incidents">
      <div className="incidents-list" hidden={item !== undefined}>
        <List hidden={item !== undefined} />
      </div>
      {item === undefined ? null : <Detail key={item} item={item} />}
    </div>
  );
}
