import LossDefinitions

/// A function that a program may compute, under one of its names.
struct Candidate: Sendable {
  let subject: Subject
  /// Whether the program's answer is 1 − L.
  let isSimilarity: Bool
  /// Other arguments that round to the same numbers of the format.
  var rounded: [String] = []

  /// Whether the name's own function answers the other of L and 1 − L.
  var isComplement: Bool { isSimilarity != subject.isSimilarity }

  /// "torchvision/complete_box_iou_loss eps=1e-07", "1 - keras/compute_ciou epsilon=1e-07".
  var name: String {
    let words = [subject.selection.dialect, subject.arguments].filter { !$0.isEmpty }
    return (isComplement ? "1 - " : "") + words.joined(separator: " ")
  }

  func judge(
    _ item: Item, _ value: Double, _ gradient: [Double]?, _ rounding: Rounding
  ) -> Judgement {
    let judgement = subject.judge(item, value, gradient, rounding, isSimilarity: isSimilarity)
    return subject.covers(item) ? judgement : judgement.opened
  }

  /// Whether the function in Double has nearly that value.
  func isNear(_ item: Item, _ value: Double, within share: Double) -> Bool {
    let plain = subject.value(item)
    let truth = isComplement ? 1 - plain : plain
    return value == truth
      || (value - truth).magnitude <= share * Swift.max(1, truth.magnitude)
  }

  /// Whether its gradient is nearly that.
  func isNear(_ item: Item, gradient: [Double], within share: Double) -> Bool {
    let plain = subject.gradient(item)
    let largest = plain.reduce(0) { Swift.max($0, $1.magnitude) }
    return zip(gradient, plain).allSatisfy { got, slope in
      (got - (isComplement ? -slope : slope)).magnitude <= share * largest
    }
  }

  /// Between what the value and the gradient's components lie; nil where nothing is said.
  func bands(_ item: Item, _ rounding: Rounding) -> [ItemBands.Whole?] {
    let bands = subject.bands(item, rounding).all
    guard isComplement else { return bands }
    return bands.enumerated().map { k, band in
      band.map { band in
        func mirrored(_ x: Double) -> Double { k == 0 ? 1 - x : -x }
        func mirrored(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
          mirrored(range.upperBound)...mirrored(range.lowerBound)
        }
        return ItemBands.Whole(
          truth: mirrored(band.truth), tight: mirrored(band.tight),
          accurate: mirrored(band.accurate))
      }
    }
  }
}

/// The candidates that are one function in the format.
struct CandidateClass: Sendable {
  var members: [Candidate]

  /// The one that stands for all: the definition, which refuses nothing, where it is among them.
  var judge: Candidate {
    members.first { $0.subject.selection.dialect == "native" } ?? members[0]
  }
}

extension CandidateClass {
  /// All that is tried for a loss: what each dialect's function does with usual arguments, and the
  /// definition with its configurations' and other usual settings; of losses of places and masks also
  /// one less the loss.
  static func all(_ entry: any CatalogEntry, _ format: Format) -> [CandidateClass] {
    func subjects<E: CatalogEntry>(_ entry: E) -> [Subject] {
      let variants = Subject.areaVariants(E.L.self, format)
      let replaced = Set(variants.map(\.selection.dialect))
      let calls = Subject.dialects(of: E.L.self).flatMap { Subject.calls($0, E.L.self, format) }
      return variants + calls.filter { !replaced.contains($0.selection.dialect) }
        + Subject.settings(E.L.self, format)
    }
    let subjects = subjects(entry)
    let isMeasure = [Family.boxes, .rotatedBoxes, .keypoints, .regions].contains(entry.loss.family)
    var classes: [CandidateClass] = []
    var places: [String: (group: Int, member: [String: Int])] = [:]
    for isSimilarity in isMeasure ? [false, true] : [false] {
      for subject in subjects {
        let candidate = Candidate(subject: subject, isSimilarity: isSimilarity)
        let key = "\(subject.function) \(subject.isClipped) \(isSimilarity)"
        let dialect = subject.selection.dialect
        guard let place = places[key] else {
          places[key] = (classes.count, [dialect: 0])
          classes.append(CandidateClass(members: [candidate]))
          continue
        }
        guard let member = place.member[dialect] else {
          places[key]?.member[dialect] = classes[place.group].members.count
          classes[place.group].members.append(candidate)
          continue
        }
        // Arguments that make no difference name a function once.
        if classes[place.group].members[member].subject.definition != subject.definition {
          classes[place.group].members[member].rounded.append(subject.arguments)
        }
      }
    }
    return classes
  }
}

extension Subject {
  /// What a dialect's function does with usual arguments, the most explicit first.
  fileprivate static func calls<L: Loss>(
    _ dialect: Dialect, _: L.Type, _ format: Format
  ) -> [Subject] {
    let plain = Wiring<L>(dialect)
    let isOwn = L.dialects.contains { $0.peer == dialect.peer && $0.function == dialect.function }
    guard plain != nil || isOwn else { return [] }
    let standard = plain.flatMap { $0.isDefault ? "\($0.loss.rounded(to: format))" : nil }
    let sets = ArgumentGrid.combinations(dialect.parameters, ArgumentGrid.parameters)
      .enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
    return sets.compactMap { _, arguments in
      guard let wiring = Wiring<L>(dialect, arguments), wiring.loss.requiredWidth == nil
      else { return nil }
      let text = dialect.parameters.compactMap { name in
        arguments[name].map { "\(name)=\($0.text)" }
      }
      var subject = Subject(wiring, text.joined(separator: " "), format)
      subject.isDefault = subject.function == standard
      return subject
    }
  }

  /// The definition with its configurations' and other usual settings.
  fileprivate static func settings<L: Loss>(_: L.Type, _ format: Format) -> [Subject] {
    var losses = [L()] + L.configurations.map(\.loss)
    // What differs besides numbers: a form, a weight.
    var bases: [String: L] = [:]
    for var loss in losses {
      for parameter in L.hyperparameters {
        loss[keyPath: parameter.path] = L()[keyPath: parameter.path]
      }
      bases["\(loss)"] = loss
    }
    for base in bases.keys.sorted().compactMap({ bases[$0] }) {
      losses += variations(base)
    }
    var seen: Set<String> = []
    return losses.compactMap { loss in
      guard loss.requiredWidth == nil, seen.insert("\(loss)").inserted else { return nil }
      return Subject(loss, "native", settings(of: loss), format)
    }
  }

  /// Usual numbers for the hyperparameters: the epsilons one value in any of their places, the others
  /// in all combinations.
  private static func variations<L: Loss>(_ base: L) -> [L] {
    func values(_ parameter: Hyperparameter<L>) -> [Double] {
      Set(parameter.grid + ArgumentGrid.numbers(parameter.name))
        .filter { parameter.range.contains($0) }.sorted()
    }
    let paths = Dictionary(uniqueKeysWithValues: L.hyperparameters.map { ($0.name, $0) })
    let epsilons = L.hyperparameters.filter { ArgumentGrid.isEpsilon($0.name) }
    let others = L.hyperparameters.filter { !ArgumentGrid.isEpsilon($0.name) }
    var found = ArgumentGrid.combinations(others.map(\.name)) { paths[$0].map(values) ?? [] }
      .map { set in
        var loss = base
        for (name, value) in set {
          if let path = paths[name]?.path { loss[keyPath: path] = value }
        }
        return loss
      }
    for places in 0..<(1 << Swift.min(epsilons.count, 6)) {
      let chosen = epsilons.indices.filter { $0 < 6 && places >> $0 & 1 == 1 }.map { epsilons[$0] }
      for value in ArgumentGrid.epsilons where !chosen.isEmpty {
        guard chosen.allSatisfy({ $0.range.contains(value) }) else { continue }
        var loss = base
        for parameter in chosen { loss[keyPath: parameter.path] = value }
        found.append(loss)
      }
    }
    return found
  }

  /// "weight=gated unionEpsilon=1e-07": the properties that are not the default's.
  private static func settings<L: Loss>(of loss: L) -> String {
    let standard = Dictionary(
      Mirror(reflecting: L()).children.compactMap { child in
        child.label.map { ($0, "\(child.value)") }
      }, uniquingKeysWith: { first, _ in first })
    return Mirror(reflecting: loss).children.compactMap { child in
      guard let label = child.label, standard[label] != "\(child.value)" else { return nil }
      return "\(label)=\(child.value)"
    }.joined(separator: " ")
  }
}

extension Judgement {
  /// The same, with nothing said of any number.
  fileprivate var opened: Judgement {
    func opened(_ reading: Reading) -> Reading {
      var reading = reading
      reading.placement = .open
      return reading
    }
    return Judgement(value: opened(value), gradient: gradient.map(opened), isKink: isKink)
  }
}
