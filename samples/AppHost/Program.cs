using AppHost;

DetectionCluster.Build(args).Run();
