//go:build race

package ssh_test

// raceDetector says that memory is taken for watching memory.
const raceDetector = true
