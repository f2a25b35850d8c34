import Foundation
import LossDefinitions
import LossVerification

/// The vectors in Spec/Vectors: written, checked, and scored by the mutants that they reject.
enum Vectors: Command {
  static let name = "vectors"
  static let abstract = "Write, check or score the vectors in Spec/Vectors"
  static let help = """
    usage: lossref vectors check [--root DIR] [--against DIR]
           lossref vectors score [--root DIR] [--loss NAME]... [--all]
           lossref vectors write [--root DIR] [--reason TEXT]
           lossref vectors write --draws N --out DIR [--seed S] [--loss NAME]...

    The vectors are inputs of every loss, and between what each number of an answer
    has to lie: to judge an implementation with no tool of ours. Spec/Vectors/README.md
    explains them.

    check     Makes all of them again, and the digests of a larger set, and compares
              byte for byte; names every file and case that differs, every name that is
              there twice, and every retired one that came back.
    score     Puts faults into right answers and formulas, and counts those that the
              vectors reject. What no input can show is listed, and does not count.
    write     Brings the files up to date: cases stay as long as the generator makes
              them, other bands get a higher revision, new cases are added where a
              stratum or a mutant has too few.

      --root DIR      the package (the current directory)
      --against DIR   an earlier Spec/Vectors: a case that is gone must be retired, and
                      other bands must have a higher revision
      --all           also what rejects each mutant
      --reason TEXT   why cases are retired
      --draws N       write the first N draws of every stratum, in f32, to --out
      --seed S        where their generators start (default 1)

    exit status: 0 all is as it should be; 1 something differs, or a mutant survives;
    2 the command line or a file is wrong
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    let root = try arguments.option("--root") ?? "."
    let folder = root + "/Spec/Vectors"
    switch arguments.operand() {
    case "check":
      let older = try arguments.option("--against")
      try arguments.finish()
      return try check(folder, older)
    case "score":
      let losses = try losses(&arguments)
      let isWhole = arguments.flag("--all")
      try arguments.finish()
      return try score(folder, losses, isWhole)
    case "write":
      let out = try arguments.option("--out")
      let draws: Int? = try arguments.number("--draws")
      let seed: UInt64? = try arguments.number("--seed")
      let losses = try losses(&arguments)
      let reason = try arguments.option("--reason")
      try arguments.finish()
      if out == nil, draws == nil, seed == nil, losses.isEmpty {
        for line in try VectorFolder(folder).write(reason: reason) { print(line) }
        return 0
      }
      guard let out, let draws, draws > 0 else {
        throw UsageError("a larger set needs --out and a positive --draws")
      }
      guard seed ?? 1 < 1 << 53 else { throw UsageError("--seed is below 2^53") }
      try VectorFolder(out).writeLarger(Set(losses), draws: draws, seed: seed ?? 1)
      return 0
    default: throw UsageError("expected check, score or write")
    }
  }

  private static func losses(_ arguments: inout Arguments) throws -> [String] {
    let names = try arguments.options("--loss")
    for name in names where !catalog.contains(where: { $0.loss.name == name }) {
      throw UsageError("no loss is named \(name)")
    }
    return names
  }

  private static func check(_ path: String, _ older: String?) throws -> Int32 {
    let folder = try VectorFolder(path)
    let findings = try folder.findings(older: try older.map { try VectorFolder($0) })
    for finding in findings { print(finding) }
    let files = try catalog.compactMap { try folder.file($0.loss.name) }
    let cases = files.reduce(0) { $0 + $1.sections.reduce(0) { $0 + $1.cases.count } }
    print("\(files.count) losses, \(cases) cases, \(findings.count) findings")
    return findings.isEmpty ? 0 : 1
  }

  private static func score(_ path: String, _ losses: [String], _ isWhole: Bool) throws -> Int32 {
    let folder = try VectorFolder(path)
    let names = losses.isEmpty ? catalog.map { $0.loss.name } : losses
    let score = try MutationScore(names.compactMap { try folder.file($0) })
    for line in MutationText(score: score, isWhole: isWhole).lines { print(line) }
    return score.survivors.isEmpty ? 0 : 1
  }
}
