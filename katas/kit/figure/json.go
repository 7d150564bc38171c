package figure

import (
	"encoding/json"
	"math"
)

// gaps is a slice as JSON has it: JSON knows no NaN and no infinity, null stands for either and is read as NaN.
type gaps []float64

func (g gaps) MarshalJSON() ([]byte, error) {
	values := make([]*float64, len(g))
	for i, v := range g {
		if finite(v) {
			values[i] = &g[i]
		}
	}
	return json.Marshal(values)
}

func (g *gaps) UnmarshalJSON(data []byte) error {
	var values []*float64
	if err := json.Unmarshal(data, &values); err != nil || values == nil {
		return err
	}
	*g = make(gaps, len(values))
	for i, v := range values {
		if v == nil {
			(*g)[i] = math.NaN()
		} else {
			(*g)[i] = *v
		}
	}
	return nil
}

type seriesJSON struct {
	Name string `json:",omitempty"`
	Mark Mark   `json:",omitempty"`
	X    gaps   `json:",omitempty"`
	Y    gaps   `json:",omitempty"`
	Low  gaps   `json:",omitempty"`
	High gaps   `json:",omitempty"`
}

// MarshalJSON writes a value that is not finite as null.
func (s Series) MarshalJSON() ([]byte, error) {
	return json.Marshal(seriesJSON{Name: s.Name, Mark: s.Mark, X: s.X, Y: s.Y, Low: s.Low, High: s.High})
}

// UnmarshalJSON reads null as NaN.
func (s *Series) UnmarshalJSON(data []byte) error {
	var j seriesJSON
	err := json.Unmarshal(data, &j)
	*s = Series{Name: j.Name, Mark: j.Mark, X: j.X, Y: j.Y, Low: j.Low, High: j.High}
	return err
}

type heatJSON struct {
	Values    []gaps
	Numbers   bool     `json:",omitempty"`
	Min       *float64 `json:",omitempty"`
	Max       *float64 `json:",omitempty"`
	Names     []string `json:",omitempty"`
	Diverging bool     `json:",omitempty"`
}

// MarshalJSON writes a value that is not finite as null.
func (h Heat) MarshalJSON() ([]byte, error) {
	j := heatJSON{Numbers: h.Numbers, Min: h.Min, Max: h.Max, Names: h.Names, Diverging: h.Diverging}
	for _, row := range h.Values {
		j.Values = append(j.Values, row)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads null as NaN.
func (h *Heat) UnmarshalJSON(data []byte) error {
	var j heatJSON
	err := json.Unmarshal(data, &j)
	*h = Heat{Numbers: j.Numbers, Min: j.Min, Max: j.Max, Names: j.Names, Diverging: j.Diverging}
	for _, row := range j.Values {
		h.Values = append(h.Values, row)
	}
	return err
}
