package check

import (
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// SeedVariable names the environment variable that gives the tests other random numbers, and DefaultSeed is its value where it is
// not set.
const (
	SeedVariable = "KATA_SEED"
	DefaultSeed  = 1
)

// Rand returns the random numbers of a test: a PCG seeded by the test's name, the same on every run. KATA_SEED=n gives
// other numbers, the same for every n.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	seed := uint64(DefaultSeed)
	if s := os.Getenv(SeedVariable); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("check: %s=%q is not a whole number ≥ 0", SeedVariable, s)
		}
		seed = n
	}
	return rand.New(rand.NewPCG(h.Sum64(), seed))
}

// Normal returns n draws from N(0, std²).
func Normal(rng *rand.Rand, n int, std float64) []float64 {
	draws := make([]float64, n)
	for i := range draws {
		draws[i] = std * rng.NormFloat64()
	}
	return draws
}
