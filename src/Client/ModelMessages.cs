using Detection.Contracts.Messages;

namespace Detection.Client;

/// <summary>What callers are told of models that they cannot have.</summary>
internal static class ModelMessages
{
    /// <summary>Why a request for a model is not accepted.</summary>
    public static string NotServed(string name, ModelCatalog.Finding found)
    {
        var shown = CallerText.Show(name);
        if (found.Problem is not null)
        {
            return $"No model '{shown}' is served: {found.Problem}";
        }

        return found switch
        {
            { Entry: null } => $"No model '{shown}' is served.",
            { Current: { } current } => $"Model '{shown}' was replaced by '{current.Id}' and accepts no new pictures.",
            _ => $"Model '{shown}' was removed and accepts no new pictures.",
        };
    }
}
