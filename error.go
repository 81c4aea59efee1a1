package honeyguide

import "errors"

// A Code says what kind of failure an [Error] is.
type Code string

// The codes. CLI exit statuses and HTTP statuses are derived from them.
const (
	CodeInternal    Code = "internal"
	CodeInvalid     Code = "invalid"
	CodeNotFound    Code = "not_found"
	CodeConflict    Code = "conflict"
	CodeForbidden   Code = "forbidden"
	CodeUnavailable Code = "unavailable"
)

// An Error is a failure a user may be told about.
type Error struct {
	Code    Code
	Message string // safe to show: names the field, line or file and what to do next
	Err     error  // logged, never shown
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code of the first [Error] in err's chain, or
// CodeInternal when there is none.
func ErrorCode(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
