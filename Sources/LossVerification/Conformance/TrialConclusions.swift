import LossDefinitions

extension Trial {
  // MARK: Explaining

  /// The format that the answers look computed in.
  func precision() -> Probe {
    func judged(_ format: Format) -> [Judgement] {
      subject.judge(seen.map(\.item), seen.map(\.answer), Rounding(format)).compactMap { $0 }
    }
    func part(_ judgements: [Judgement], _ isSo: (Judgement) -> Bool) -> Double {
      Double(judgements.count(where: isSo)) / Double(Swift.max(1, judgements.count))
    }
    /// The bands of a narrower format hold other faults, too; what was computed in it is off by a
    /// noticeable part of them, in values and gradients.
    func isExplained(by format: Format) -> Bool {
      let judgements = judged(format)
      func isNoisy(_ readings: [Reading]) -> Bool {
        readings.isEmpty || readings.contains { $0.halfWidths >= 0x1p-5 }
      }
      return part(judgements) { $0.placement != .outside } >= 0.95
        && part(judgements.filter { $0.placement != .open }) {
          isNoisy([$0.value]) && isNoisy($0.gradient)
        } >= 0.5
    }
    let own = part(judged(options.format)) { $0.placement != .outside }
    if own >= 0.95 {
      return Probe(
        name: "precision", outcome: .passed, detail: "as computed in \(options.format.rawValue)")
    }
    let narrower = Format.allCases.filter { $0.precision < options.format.precision }
      .sorted { $0.precision > $1.precision }
    // What a narrower format explains is wrong nearly everywhere, not in one kind of item.
    if own < 0.5, let real = narrower.first(where: isExplained) {
      return Probe(
        name: "precision", outcome: .failed,
        detail: "as computed in \(real.rawValue), not \(options.format.rawValue)")
    }
    return Probe(
      name: "precision", outcome: .noted, detail: "not explained by a narrower format")
  }

  /// Makes each finding's item simple, and names the dialects that would have given the answer.
  mutating func explain<I: Implementation>(_ implementation: inout I) throws {
    guard !report.isRecorded else {
      for k in report.findings.indices {
        let (item, answer) = (report.findings[k].item, report.findings[k].answer)
        report.findings[k].dialects = dialects(item, answer)
      }
      return
    }
    let shrinking = Shrinking(subject)
    for k in report.findings.indices {
      let what = report.findings[k].what
      guard report.findings[k].reading != nil else { continue }
      var shown: [(item: Item, at: Int, reading: Reading)] = []
      let simplest = try shrinking.shrink(report.findings[k].item) { items in
        let answers = try implementation.evaluate(items, gradient: gradient)
        let judgements = judgements(items, answers)
        return items.indices.map { i in
          guard let readings = judgements[i]?.readings,
            let at = readings.indices.first(where: { fault(readings[$0], $0) == what }),
            subject.covers(items[i])
          else { return false }
          shown.append((items[i], at, readings[at]))
          return true
        }
      }
      report.findings[k].item = simplest
      if let last = shown.last(where: { $0.item == simplest }) {
        report.findings[k].reading = last.reading
        report.findings[k].quantity = last.at == 0 ? "value" : "gradient \(last.at - 1)"
      }
      if let answer = try implementation.evaluate([simplest], gradient: gradient).first {
        report.findings[k].dialects = dialects(simplest, answer)
      }
    }
  }

  /// The definition and the dialects that give the implementation's answer to an item.
  private func dialects(_ item: Item, _ answer: CaseAnswer) -> [String] {
    guard let entry = catalog.first(where: { $0.loss.name == subject.selection.loss }) else {
      return []
    }
    return ([Subject.native(entry, options.format)] + Subject.dialects(entry, options.format))
      .filter { other in
        guard other.selection != subject.selection,
          let judgement = other.judge(
            [item], [answer], rounding, isSimilarity: subject.isSimilarity)[0]
        else { return false }
        return judgement.readings.allSatisfy { $0.placement.isPassed }
      }
      .map(\.selection.dialect)
  }

  // MARK: Concluding

  /// Concludes of what the implementation did not answer to its end.
  mutating func giveUp() {
    report.verdict = .failed
    report.reason = "given up before all of it was asked"
  }

  mutating func conclude() {
    let unexpected = report.unexpected
    let failed = unexpected.filter { $0.isFailure }.reduce(0) { $0 + $1.count }
    let open = report.strata.filter(\.isOpen)
    if failed > 0 {
      report.verdict = .failed
      report.reason = "the program failed on \(failed) items"
    } else if let probe = report.probes.first(where: {
      $0.outcome == .failed && $0.name == "determinism"
    }) {
      report.verdict = .doesNotConform
      report.reason = "not deterministic: \(probe.detail)"
    } else if !unexpected.isEmpty {
      report.verdict = .doesNotConform
      if let probe = report.probes.first(where: { $0.name == "precision" && $0.outcome == .failed })
      {
        report.reason = probe.detail
      }
    } else if 2 * open.reduce(0, { $0 + $1.open }) > report.items || options.isStrict, !open.isEmpty
    {
      report.verdict = .inconclusive
      report.reason = "the bands say too little: " + Self.counts(open)
    } else if !open.isEmpty {
      report.reason = "but for items whose bands say nothing: " + Self.counts(open)
    }
  }

  /// "546 of 1000 in far".
  private static func counts(_ strata: [ConformanceReport.Stratum]) -> String {
    strata.map { "\($0.open) of \($0.items) in \($0.name)" }.joined(separator: ", ")
  }
}
