using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;

namespace Detection.Client;

/// <summary>Messages to callers about models that cannot be used.</summary>
internal static class ModelMessages
{
    /// <summary>Maximum number of models that a message lists.</summary>
    private const int MostNames = 5;

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
            { Entry: null } => Unknown(name, found.Silos),
            { Current: { } current } => $"Model '{shown}' was replaced by '{current.Id}' and accepts no new pictures.",
            _ => $"Model '{shown}' was removed and accepts no new pictures.",
        };
    }

    /// <summary>That no silo has a model, with the most similar one, or some of those that are served.</summary>
    /// <param name="name">Name, or name and version.</param>
    /// <param name="silos">The live silos.</param>
    public static string Unknown(string name, IReadOnlyList<SiloReport> silos)
    {
        var served = silos.SelectMany(static silo => silo.CurrentModels).Select(static model => model.Name).Distinct().Order(StringComparer.Ordinal).ToList();
        return $"No model '{CallerText.Show(name)}' is served.{(served.Count == 0 ? "" : $" {NearestName.Proposal(name, served, MostNames)}")}";
    }

    /// <summary>Why no device processes the pictures of a model; <see langword="null"/> when one does.</summary>
    /// <param name="name">Name, or name and version.</param>
    /// <param name="silos">The live silos.</param>
    public static string? Unprocessed(string name, IReadOnlyList<SiloReport> silos)
    {
        var serving = silos.Where(silo => silo.Models.Any(model => model.Name == name || model.Id == name)).ToList();
        if (serving.Any(silo => !silo.IsDrained && silo.Batchers.Any(batcher => batcher.Works && silo.Models.Any(model => model.Id == batcher.Model && (model.Name == name || model.Id == name)))))
        {
            return null;
        }

        return silos.Count == 0 ? "No silo is running."
            : silos.All(static silo => silo.Devices.Count == 0) ? "No silo has a device."
            : serving.Count > 0 && serving.All(static silo => silo.IsDrained) ? $"Every silo that has the model '{CallerText.Show(name)}' is drained."
            : $"No device serves the model '{CallerText.Show(name)}' at this time.";
    }
}
