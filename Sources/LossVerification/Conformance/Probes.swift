import LossDefinitions

/// What a probe found, before anything is judged.
public struct Probe: Sendable {
  public enum Outcome: String, Sendable {
    case passed, noted, failed, skipped
  }

  public let name: String
  public let outcome: Outcome
  public let detail: String
}

/// What the arithmetic of an implementation does, as its sums of two numbers show.
struct ArithmeticProbes {
  var probes: [Probe] = []
  var flushes = false

  init<I: Implementation>(_ implementation: inout I, _ format: Format) throws {
    if let why = try implementation.select(.sum(format)) {
      probes = ["bits", "subnormals", "sums"].map {
        Probe(name: $0, outcome: .skipped, detail: "`sum` is not offered: \(why)")
      }
      return
    }
    let tiny = [format.leastNonzero, 3 * format.leastNonzero, format.leastNormal / 2]
    let one = 1 + 2 * format.unit
    let plain = [0, 1, -1, one, -one / 3, 1.0 / 3, format.leastNormal, -format.greatest]
      .map { format.rounded($0) }
    let bits = try sums(&implementation, plain, plain.map { _ in -0.0 })
    let small = try sums(&implementation, tiny, tiny.map { _ in -0.0 })
    let precise = try sums(&implementation, [1, 1], [2 * format.unit, 0.5])

    let changed = zip(plain, bits).first { !same($0, $1) }
    probes.append(
      changed.map {
        Probe(
          name: "bits", outcome: .failed,
          detail: "\($0) came back as \($1.map { "\($0)" } ?? "no number")")
      } ?? Probe(name: "bits", outcome: .passed, detail: "every number comes back as it was"))

    flushes = small.allSatisfy { $0 == 0 }
    let kept = zip(tiny, small).allSatisfy { same($0, $1) }
    probes.append(
      Probe(
        name: "subnormals", outcome: kept ? .passed : flushes ? .noted : .failed,
        detail: kept
          ? "kept" : flushes ? "flushed to zero; the bands allow for it" : "changed"))

    let exact = precise[0] == one && precise[1] == 1.5
    probes.append(
      Probe(
        name: "sums", outcome: exact ? .passed : .failed,
        detail: exact
          ? "of \(format.precision) bits"
          : "1 + 2^\(1 - format.precision) is \(precise[0].map { "\($0)" } ?? "no number"): "
            + "fewer than \(format.precision) bits"))
  }

  private func same(_ sent: Double, _ got: Double?) -> Bool {
    got.map { $0.bitPattern == sent.bitPattern } ?? false
  }

  /// Nil for what is no number.
  private func sums<I: Implementation>(
    _ implementation: inout I, _ first: [Double], _ second: [Double]
  ) throws -> [Double?] {
    let items = zip(first, second).map { Item([$0], [$1]) }
    return try implementation.evaluate(items, gradient: false).map {
      if case .numbers(let value, _) = $0 { value } else { nil }
    }
  }
}

/// How an implementation behaves on some items, whatever its numbers are.
struct BehaviourProbes {
  private(set) var probes: [Probe] = []
  /// Whether the same question got another answer.
  private(set) var isErratic = false

  init<I: Implementation>(
    _ implementation: inout I, _ items: [Item], gradient: Bool, isPromised: Bool
  ) throws {
    let first = try implementation.evaluate(Array(items.prefix(3)), gradient: gradient)
    let odd = first.first { if case .numbers = $0 { false } else { true } }
    switch odd {
    case .rejected(let why), .failed(let why):
      probes.append(Probe(name: "wiring", outcome: .failed, detail: why))
    default: probes.append(Probe(name: "wiring", outcome: .passed, detail: "three items answered"))
    }

    let once = try implementation.evaluate(items, gradient: gradient)
    let twice = try implementation.evaluate(items, gradient: gradient)
    let differing = zip(once, twice).count { !Self.same($0, $1) }
    isErratic = differing > 0
    probes.append(
      Probe(
        name: "determinism",
        outcome: !isErratic ? .passed : isPromised ? .failed : .noted,
        detail: isErratic
          ? "\(differing) of \(items.count) items get other bits when they are asked again"
          : "the same bits when asked again"))
    if isErratic {
      probes.append(
        Probe(name: "batches", outcome: .skipped, detail: "nothing to compare with"))
      return
    }
    probes.append(try Self.batches(&implementation, items, once, gradient: gradient))
  }

  /// The same items in other batches: reversed, from other places on, alone, beside NaNs.
  private static func batches<I: Implementation>(
    _ implementation: inout I, _ items: [Item], _ known: [CaseAnswer], gradient: Bool
  ) throws -> Probe {
    func differ(_ answers: [CaseAnswer], _ indices: [Int]) -> Bool {
      zip(answers, indices).contains { !same($0, known[$1]) }
    }
    var places: [String] = []
    let all = Array(items.indices)
    let reversed = try implementation.evaluate(items.reversed(), gradient: gradient)
    if differ(reversed, all.reversed()) { places.append("in reverse") }
    for start in [1, 2, 3, 5, 7] {
      let part = Array(all[start...])
      let answers = try implementation.evaluate(part.map { items[$0] }, gradient: gradient)
      if differ(answers, part) {
        places.append("from the \(start + 1). on")
        break
      }
    }
    for i in all.prefix(4) {
      if differ(try implementation.evaluate([items[i]], gradient: gradient), [i]) {
        places.append("alone")
        break
      }
    }
    let nan = Item(items[0].prediction.map { _ in .nan }, items[0].target)
    let mixed = items.flatMap { [$0, nan] }
    let besides = try implementation.evaluate(mixed, gradient: gradient)
    let own = stride(from: 0, to: besides.count, by: 2).map { besides[$0] }
    if differ(own, all) { places.append("beside NaNs") }
    return places.isEmpty
      ? Probe(name: "batches", outcome: .passed, detail: "the same bits in any batch")
      : Probe(
        name: "batches", outcome: .noted,
        detail: "other bits \(places.joined(separator: ", ")); each is judged by its band")
  }

  private static func same(_ a: CaseAnswer, _ b: CaseAnswer) -> Bool {
    guard case .numbers(let x, let p) = a, case .numbers(let y, let q) = b else { return a == b }
    func bits(_ value: Double, _ gradient: [Double]?) -> [UInt64] {
      ([value] + (gradient ?? [])).map { $0.isNaN ? 0x7ff8 << 48 : $0.bitPattern }
    }
    return bits(x, p) == bits(y, q)
  }
}
