package client

import "time"

// A NewHold asks for a legal hold.
type NewHold struct {
	Object string    `json:"object" maxLength:"160" doc:"incident:I-7, session:ID or attacker:ADDRESS"`
	Reason string    `json:"reason" maxLength:"1000" doc:"why it must be kept, such as the reference of an order"`
	Until  time.Time `json:"until,omitzero" doc:"when it ends by itself; absent: when somebody releases it"`
}
