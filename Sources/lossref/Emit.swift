import LossVerification

/// `lossref emit`: the questions of a run as a file.
enum Emit: Command {
  static let name = "emit"
  static let abstract = "Write the questions for a program to a file"
  static let help = """
    usage: lossref emit --loss NAME [--dialect D] [--dtype T] [--cases N] [--seed S]
                        [--batch N] [--numbers hex|decimal]

    Writes what `lossref verify` would ask a program for, a message a line, so that
    the program can run where no pipe reaches; then `lossref check` judges:

      lossref emit --loss giou > requests.jsonl
      program < requests.jsonl > answers.jsonl
      lossref check --requests requests.jsonl --answers answers.jsonl

    --loss NAME, --dialect D, --dtype T, --cases N, --seed S
                  as in `lossref verify`
    --batch N     items a batch (default 256)
    --numbers F   hex, the bits of each number (the default), or decimal

    exit status: 0; 2 the command line is wrong
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    var file = RequestFile(try Conformance(&arguments))
    if let batch: Int = try arguments.number("--batch") {
      guard (1...4096).contains(batch) else { throw UsageError("--batch is 1 to 4096") }
      file.batch = batch
    }
    file.isDecimal = try arguments.choice("--numbers", of: ["hex", "decimal"]) == "decimal"
    try arguments.finish()
    guard file.conformance.losses.count == 1 else { throw UsageError("one --loss is needed") }
    do {
      for line in try file.lines() { print(line) }
    } catch let error as Conformance.Unaskable {
      throw UsageError(error.description)
    }
    return 0
  }
}
