package probes

import (
	"math"
	"testing"

	"github.com/erpgo/flightdeck/config"
)

func TestSignalLevel(t *testing.T) {
	ceiling := config.Signal{Name: "error_rate", Warn: 0.01, Critical: 0.05}
	floor := config.Signal{Name: "hit_rate", Warn: 0.8, Critical: 0.7, Below: true}
	critical := config.Signal{Name: "logins", Critical: 10}
	for _, test := range []struct {
		signal config.Signal
		values []float64
		want   Level
	}{
		{ceiling, []float64{0.9, 0.01}, Calm},
		{ceiling, []float64{0.02}, Warn},
		{ceiling, []float64{0.05}, Warn},
		{ceiling, []float64{0, 0.051}, Critical},
		{floor, []float64{0.8}, Calm},
		{floor, []float64{0.79}, Warn},
		{floor, []float64{0.6}, Critical},
		{critical, []float64{9}, Calm},
		{critical, []float64{11}, Critical},
		{ceiling, nil, Calm},
		{ceiling, []float64{0.9, math.NaN()}, Calm},
		{floor, []float64{math.NaN()}, Calm},
	} {
		s := Signal{Signal: test.signal}
		for _, v := range test.values {
			s.Points = append(s.Points, Point{Value: v})
		}
		if got := s.Level(); got != test.want {
			t.Errorf("%s at %v has level %v, want %v", test.signal.Name, test.values, got, test.want)
		}
	}
}

func TestSignalLatest(t *testing.T) {
	if _, ok := (Signal{}).Latest(); ok {
		t.Error("a signal without points has a newest value")
	}
	s := Signal{Points: []Point{{Value: 1}, {Value: 2}}}
	if p, ok := s.Latest(); !ok || p.Value != 2 {
		t.Errorf("newest is %v, %v", p, ok)
	}
	s.Points = append(s.Points, Point{Value: math.NaN()})
	if _, ok := s.Latest(); ok {
		t.Error("a gap at the end counts as a value")
	}
}
