namespace Detection.Testing;

/// <summary>Thrown by a condition of <see cref="Eventually"/> that can no longer become true, to end the wait at once.</summary>
public sealed class ConditionHopelessException(string message, Exception? inner = null) : Exception(message, inner);
