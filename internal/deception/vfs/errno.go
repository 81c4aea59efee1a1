package vfs

// An Errno is a Linux error number. Its text is the one libc prints.
type Errno uint16

// The error numbers this package returns, with Linux' values.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	ESRCH        Errno = 3
	EIO          Errno = 5
	ENXIO        Errno = 6
	EBADF        Errno = 9
	ENOMEM       Errno = 12
	EACCES       Errno = 13
	EBUSY        Errno = 16
	EEXIST       Errno = 17
	EXDEV        Errno = 18
	ENODEV       Errno = 19
	ENOTDIR      Errno = 20
	EISDIR       Errno = 21
	EINVAL       Errno = 22
	ENOTTY       Errno = 25
	ETXTBSY      Errno = 26
	EFBIG        Errno = 27
	ENOSPC       Errno = 28
	ESPIPE       Errno = 29
	EROFS        Errno = 30
	EMLINK       Errno = 31
	EPIPE        Errno = 32
	ENAMETOOLONG Errno = 36
	ENOTEMPTY    Errno = 39
	ELOOP        Errno = 40
	EOPNOTSUPP   Errno = 95
	EDQUOT       Errno = 122
)

var errnoText = map[Errno]string{
	EPERM:        "Operation not permitted",
	ENOENT:       "No such file or directory",
	ESRCH:        "No such process",
	EIO:          "Input/output error",
	ENXIO:        "No such device or address",
	EBADF:        "Bad file descriptor",
	ENOMEM:       "Cannot allocate memory",
	EACCES:       "Permission denied",
	EBUSY:        "Device or resource busy",
	EEXIST:       "File exists",
	EXDEV:        "Invalid cross-device link",
	ENODEV:       "No such device",
	ENOTDIR:      "Not a directory",
	EISDIR:       "Is a directory",
	EINVAL:       "Invalid argument",
	ENOTTY:       "Inappropriate ioctl for device",
	ETXTBSY:      "Text file busy",
	EFBIG:        "File too large",
	ENOSPC:       "No space left on device",
	ESPIPE:       "Illegal seek",
	EROFS:        "Read-only file system",
	EMLINK:       "Too many links",
	EPIPE:        "Broken pipe",
	ENAMETOOLONG: "File name too long",
	ENOTEMPTY:    "Directory not empty",
	ELOOP:        "Too many levels of symbolic links",
	EOPNOTSUPP:   "Operation not supported",
	EDQUOT:       "Disk quota exceeded",
}

// Error returns libc's text.
func (e Errno) Error() string {
	if s, ok := errnoText[e]; ok {
		return s
	}
	return "Unknown error"
}

// An Error is what every method of this package returns: an error number and
// nothing else, for the commands say themselves what they were doing.
// errors.Is(err, ENOENT) works.
type Error struct{ Errno Errno }

// Error returns libc's text.
func (e *Error) Error() string { return e.Errno.Error() }

// Unwrap returns the number.
func (e *Error) Unwrap() error { return e.Errno }

// fail wraps a number.
func fail(e Errno) error { return &Error{e} }
