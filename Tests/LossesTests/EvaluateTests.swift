import LossDefinitions
import LossVerification
import Testing

/// Lines of JSON in, lines of JSON out: whatever comes in is answered.
@Suite struct EvaluateTests {
  static let answering = Answering(with: ReferenceEvaluator())

  private func answer(_ line: String) throws -> JSON {
    try JSON(Self.answering.answer(line, number: 7))
  }

  private static func squared(_ inputs: String, _ rest: String = #""reduction": "mean""#) -> String
  {
    #"{"id": "a", "peer": "torch 2.13.0", "loss": "mse_loss", "inputs": {\#(inputs)}, \#(rest)}"#
  }

  private static let pair = """
    "input": {"shape": [2], "dtype": "float64", "data": [1, -0.5]},
    "target": {"shape": [2], "dtype": "float64", "data": [0, 0.25]}
    """

  @Test func aCaseIsAnswered() throws {
    #expect(
      Self.answering.answer(Self.squared(Self.pair), number: 1)
        == #"{"grads":{"input":{"data":[1,-0.75],"shape":[2]},"target":{"data":[-1,0.75],"#
        + #""shape":[2]}},"id":"a","value":{"data":[0.78125],"shape":[]}}"#)
  }

  @Test(arguments: [
    "", "{", "[1]", "1", "nul", "{}", #"{"id": null}"#, #"{"id": "a",}"#, #"{"id": 01}"#,
    #"{"id": "a", "id": "b"}"#, #"{"id": "\ud800"}"#, #"{"id": "a"} x"#, "\u{0}",
    String(repeating: "[", count: 100_000), String(repeating: #"{"a":"#, count: 100_000),
  ])
  func aLineThatIsNoCaseIsNamed(_ line: String) throws {
    let answer = try answer(line)
    #expect(answer["line"] == .number(7))
    #expect(answer["error"]?.word?.isEmpty == false)
  }

  @Test(arguments: [
    (#""input": 1"#, "must be an object"),
    (#""input": {"shape": [2], "data": null}"#, "must be an array"),
    (#""input": {"shape": null, "data": [1]}"#, "must be an array"),
    (#""input": {"shape": [-1], "data": [1]}"#, "no extent"),
    (#""input": {"shape": [1.5], "data": [1]}"#, "no extent"),
    (#""input": {"shape": [1e30], "data": [1]}"#, "no extent"),
    (#""input": {"shape": [4e9, 4e9, 4e9], "data": [1]}"#, "too large"),
    (#""input": {"shape": [4000000000, 0], "data": []}"#, "too large"),
    (#""input": {"shape": [2], "data": [1, 2, 3]}"#, "3 entries; its shape [2] expects 2"),
    (#""input": {"shape": [1], "data": [1e400]}"#, "beyond the range"),
    (#""input": {"shape": [1], "data": ["one"]}"#, "must be of dtype float64"),
    (#""input": {"shape": [1], "data": [true]}"#, "must be of dtype float64"),
    (#""input": {"shape": [1], "dtype": "complex64", "data": [1]}"#, "unknown dtype"),
    (#""input": {"shape": [1], "dtype": "int64", "data": [1.5]}"#, "must be of dtype int64"),
    (#""input": {"shape": [1], "dtype": "int64", "data": ["nan"]}"#, "must be of dtype int64"),
    (#""input": {"shape": [1], "dtype": "int64", "data": [1e300]}"#, "must be of dtype int64"),
    (#""input": {"shape": [1], "dtype": "bool", "data": [2]}"#, "must be of dtype bool"),
    (#""input": {"shape": [1], "data": [1]}"#, #""target" is missing"#),
    (
      #""input": {"shape": [1], "data": [1]}, "target": {"shape": [1, 1], "data": [1]}"#,
      #""target" has shape [1, 1]; expected [1]"#
    ),
  ])
  func badInputsAreRejected(_ inputs: String, _ why: String) throws {
    let answer = try answer(Self.squared(inputs))
    #expect(answer["id"] == .text("a"))
    #expect(answer["rejected"]?.word?.contains(why) == true, "\(answer)")
  }

  @Test(arguments: [
    (squared(pair, #""reduction": "median""#), "median"),
    (squared(pair + #", "mask": {"shape": [], "data": [1]}"#), "mask"),
    (squared(pair, #""params": {"beta": 1}"#), "beta"),
    (#"{"id": "a", "peer": "torch", "loss": "no_loss"}"#, "torch/no_loss"),
    (#"{"id": "a", "peer": "nobody", "loss": "mse_loss"}"#, "nobody/mse_loss"),
  ])
  func unknownThingsAreUnsupported(_ line: String, _ what: String) throws {
    let answer = try answer(line)
    #expect(answer["unsupported"]?.word?.contains(what) == true, "\(answer)")
  }

  @Test func numbersReadBackExactly() throws {
    let values: [Double] = [
      0.1, -0.0, 0, 0x1p-1074, 1.7976931348623157e308, 1e22, 9007199254740994, .nan, .infinity,
      -.infinity, 1 / 3,
    ]
    for value in values {
      let back = try #require(try JSON(JSON.word(value).description).double)
      #expect(back.bitPattern == value.bitPattern || (back.isNaN && value.isNaN), "\(value)")
    }
  }

  @Test func textsReadBack() throws {
    for text in ["", "\"\\/\n\t\u{1}", "L ≥ 0", "😀", "é"] {
      #expect(try JSON(JSON.text(text).description) == .text(text))
    }
    #expect(try JSON(#""\u00e9\ud83d\ude00\/""#) == .text("é😀/"))
  }

  /// Whatever is done to a recorded case, it is answered.
  @Test(arguments: GoldenTests.files)
  func mangledCasesAreAnswered(_ file: String) throws {
    let all = [
      Answering(with: ReferenceEvaluator()), Answering(with: KernelEvaluator<Float>()),
    ]
    var seen: [String: Int] = [:]
    var amiss: [String] = []
    for golden in try GoldenCase.all(file) {
      seen[golden.function, default: 0] += 1
      guard seen[golden.function] ?? 0 <= 2 else { continue }
      for mangled in golden.mangled {
        let line = mangled.description
        for answering in all {
          let answer = try JSON(answering.answer(line, number: 1))
          let answered = answer["value"] != nil || answer["outputs"] != nil
          let kinds = ["rejected", "unsupported"].count { answer[$0] != nil } + (answered ? 1 : 0)
          if kinds != 1 || answer["id"] != mangled["id"] { amiss.append("\(line)\n\(answer)") }
        }
      }
    }
    #expect(amiss.isEmpty, "\(amiss.first ?? "")")
  }
}

extension GoldenCase {
  /// The case with one thing wrong, in every way that is tried.
  fileprivate var mangled: [JSON] {
    guard let base = fields.members else { return [] }
    let call = base.filter {
      ["id", "peer", "loss", "params", "reduction", "inputs"].contains($0.key)
    }
    var result: [JSON] = []
    func with(_ part: String, _ key: String, _ value: JSON?) {
      var members = call[part]?.members ?? [:]
      members[key] = value
      var copy = call
      copy[part] = .object(members)
      result.append(.object(copy))
    }
    for (name, original) in call["inputs"]?.members ?? [:] {
      guard let shape = original["shape"]?.entries, let data = original["data"]?.entries,
        let kind = original["dtype"]
      else { continue }
      func tensor(_ shape: [JSON], _ data: [JSON], _ kind: JSON = kind) -> JSON {
        .object(["shape": .list(shape), "data": .list(data), "dtype": kind])
      }
      let count = JSON.number(Double(data.count))
      with("inputs", name, nil)
      with("inputs", name, tensor([count], data))
      with("inputs", name, tensor([.number(1)] + shape, data))
      with("inputs", name, tensor([count, .number(1)], data))
      with("inputs", name, tensor([], Array(data.prefix(1)) + (data.isEmpty ? [.number(0)] : [])))
      with("inputs", name, tensor([.number(0)], []))
      with("inputs", name, tensor([.number(3), .number(0)], []))
      let numbers: [Double] = [
        .nan, .infinity, -.infinity, -1, 0, 0.5, 1e18, -1e18, 1e300, -1e300, 0x1p-1074,
      ]
      for value in numbers {
        with("inputs", name, tensor(shape, data.map { _ in .word(value) }, .text("float64")))
        var one = data
        if !one.isEmpty { one[0] = .word(value) }
        with("inputs", name, tensor(shape, one, .text("float64")))
      }
    }
    let values: [JSON] = [
      .null, .flag(true), .number(-1), .number(0), .number(1e308), .text("nan"), .text("inf"),
      .text("x"), .list([]),
    ]
    for name in call["params"]?.members?.keys.sorted() ?? [] {
      with("params", name, nil)
      for value in values { with("params", name, value) }
    }
    for reduction in ["none", "sum", "mean", "x"] {
      var copy = call
      copy["reduction"] = .text(reduction)
      result.append(.object(copy))
    }
    return result
  }
}
