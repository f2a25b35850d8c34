/// Losses of object detection and segmentation: value and gradient of a batch in one call.
///
/// A loss is a value that holds its hyperparameters, and a batch is L = Σ wᵢ Lᵢ / N over its items.
/// Mean, sum, average factor and score-weighted sums are choices of the weights w and of N.
///
///     let value = try CIoU()(predictions, targets, normalizer: .mean)
///     let value = try CIoU().value(predictions, targets, gradient: &gradient)
///
/// Inputs are `Float` or `Double`, in arrays, spans or buffer pointers. Whatever a caller can get
/// wrong is a `LossError`; NaN and infinity are values, and stay with the item that they came in.
@_exported import LossDefinitions
