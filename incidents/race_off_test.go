//go:build !race

package incidents

// raceDetector tells that everything is slower by some factor.
const raceDetector = false
