// Put into oasdiff's package diff while its tests run: writes each pair of specs that a test compares into the folder PAIRS.
package diff

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/getkin/kin-openapi/openapi3"
)

var pairs atomic.Int64

func dumpPair(base, revision *openapi3.T) {
	name := "?"
	for depth := 2; depth < 12; depth++ {
		caller, _, _, ok := runtime.Caller(depth)
		if !ok {
			break
		}
		full := runtime.FuncForPC(caller).Name()
		if i := strings.LastIndex(full, ".Test"); i >= 0 {
			name = full[i+1:]
			break
		}
	}
	text, err := json.Marshal(map[string]any{"test": name, "base": base, "revision": revision})
	if err != nil {
		return
	}
	file := fmt.Sprintf("%04d.json", pairs.Add(1))
	if err := os.WriteFile(filepath.Join(os.Getenv("PAIRS"), file), text, 0o644); err != nil {
		panic(err)
	}
}
