import LossDefinitions

/// The values that programs usually have for an argument of its name.
enum ArgumentGrid {
  /// More combinations than this are not tried; then each argument varies alone.
  static let limit = 512

  static let epsilons: [Double] = [
    0, 1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2,
  ]

  static func isEpsilon(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.contains("eps") || name == "floor"
  }

  /// Numbers for an argument or a hyperparameter; none for a name that says nothing.
  static func numbers(_ name: String) -> [Double] {
    if isEpsilon(name) { return epsilons }
    switch name.lowercased() {
    case "smooth": return epsilons + [0.1, 1, 2, 10, 100]
    case "alpha":
      return [-1, 0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 1, 2, 3]
    case "gamma": return [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5]
    case "beta", "delta", "smooth_point", "smoothpoint":
      return [0, 0.01, 0.02, 0.05, 0.1, 1.0 / 9, 0.11, 0.2, 0.25, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5]
    case "label_smoothing", "labelsmoothing": return [0, 0.01, 0.05, 0.1, 0.2, 0.3]
    case "positiveweight", "w_bg", "w_fg", "background", "foreground":
      return [0, 0.25, 0.5, 1, 2, 3, 5, 10]
    case "tau", "mu": return [0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2]
    default: return []
    }
  }

  /// Values for a dialect's argument.
  static func parameters(_ name: String) -> [Parameter] {
    let numbers = numbers(name).map { Parameter.number($0) }
    if !numbers.isEmpty { return numbers }
    switch name {
    case "mode", "fun", "loss_type":
      return ["linear", "log", "square", "l1", "l2", "none", "ln", "exp", "log1p", "sqrt"]
        .map { .text($0) }
    case "CIoU", "from_logits", "naive_dice", "neg_gamma", "norm_target_weight":
      return [.flag(false), .flag(true)]
    default: return []
    }
  }

  /// The choices of one value, or none, for each name: all combinations, or, where these are too
  /// many, each name's values with no other.
  static func combinations<Value>(
    _ names: [String], _ values: (String) -> [Value]
  ) -> [[String: Value]] {
    let choices = names.map { ($0, values($0)) }.filter { !$0.1.isEmpty }
    let count = choices.reduce(1) { $0 * ($1.1.count + 1) }
    guard count <= limit else {
      return [[:]] + choices.flatMap { name, values in values.map { [name: $0] } }
    }
    return choices.reduce([[:]]) { found, choice in
      found.flatMap { set in
        [set] + choice.1.map { set.merging([choice.0: $0]) { $1 } }
      }
    }
  }
}

extension Parameter {
  /// As a command line would have it.
  var text: String {
    switch self {
    case .null: "none"
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .list(let entries): "[" + entries.map(\.text).joined(separator: ",") + "]"
    case .group(let members):
      members.keys.sorted().map { "\($0):\(members[$0]?.text ?? "")" }.joined(separator: ",")
    }
  }
}
