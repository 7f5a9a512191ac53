using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>The outcome of one of many pictures: an answer, or a failure.</summary>
/// <typeparam name="T">Type of an item.</typeparam>
/// <param name="Item">The item that the picture was read from.</param>
/// <param name="Answer">The answer; <see langword="null"/> after a failure.</param>
/// <param name="Failure">The failure; <see langword="null"/> when there is an answer.</param>
public sealed record DetectionOutcome<T>(T Item, DetectionAnswer? Answer, DetectionException? Failure);
