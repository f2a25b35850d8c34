import LossDefinitions
import LossVerification

/// Answers golden cases in the frameworks' dialects.
enum Evaluate: Command {
  static let name = "evaluate"
  static let abstract = "Answer cases, a JSON line each, as the frameworks would"
  static let help = """
    usage: lossref evaluate [--with reference|optimized] [--precision float|double]

    Reads cases from standard input, one JSON object a line, and writes an answer a line:

      {"id": "1", "peer": "torch", "loss": "mse_loss", "params": {}, "reduction": "mean",
       "inputs": {"input": {"shape": [2], "dtype": "float64", "data": [1, 2]}, ...}}

      {"id": "1", "value": {"shape": [], "data": [0.5]}, "grads": {"input": {...}, ...}}
      {"id": "1", "unsupported": "..."}   a function or argument that no dialect knows
      {"id": "1", "rejected": "..."}      inputs outside the function's domain
      {"line": 3, "error": "..."}         a line that is no case; the run goes on

    `peer` is the framework, then anything; `loss` is its own name of the function. `grads` are the
    derivatives of the sum of the value. A number may be "nan", "inf" or "-inf". The exit status is 0.

      --with reference         the readable definitions, in Double (the default)
      --with optimized         the kernels
      --precision float        what the kernels compute in (the default)
      --precision double
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    let with = try arguments.choice("--with", of: ["reference", "optimized"]) ?? "reference"
    let precision = try arguments.choice("--precision", of: ["float", "double"])
    try arguments.finish()
    if with == "reference", precision == "float" {
      throw UsageError("the reference answers in double; --precision float needs --with optimized")
    }
    let evaluator: any Evaluator =
      switch (with, precision) {
      case ("reference", _): ReferenceEvaluator()
      case (_, "double"): KernelEvaluator<Double>()
      default: KernelEvaluator<Float>()
      }
    let answering = Answering(with: evaluator)
    var number = 0
    while let line = readLine() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      print(answering.answer(line, number: number))
    }
    return 0
  }
}
